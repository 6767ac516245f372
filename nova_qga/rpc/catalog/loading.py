# Licensed under the Apache License, Version 2.0 (the "License"); you may
# not use this file except in compliance with the License. You may obtain
# a copy of the License at
#
#      http://www.apache.org/licenses/LICENSE-2.0
#
# Unless required by applicable law or agreed to in writing, software
# distributed under the License is distributed on an "AS IS" BASIS, WITHOUT
# WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied. See the
# License for the specific language governing permissions and limitations
# under the License.

"""Find the operations that are installed."""

from collections.abc import Mapping
import re
from typing import Any

from oslo_log import log as logging
from stevedore import extension

from nova_qga import errors
from nova_qga.rpc.catalog import base

LOG = logging.getLogger(__name__)

NAMESPACE = 'nova_qga.operations'
#: What the endpoint and the policy have beside operations.
RESERVED = frozenset(
    (
        *base.Access,
        'target',
        'list_guests',
        'get_coverage',
        'get_metrics',
        'get_operation',
        'get_public_key',
        'get_usage',
        'admin',
    )
)

_NAME = re.compile(r'[a-z][a-z0-9_]*')


def load() -> Mapping[str, base.Operation]:
    """Return the operations by name.

    One that cannot be loaded is logged and left out: the others are wanted
    all the same.

    :raises ConfigurationError: two packages have an operation of one name,
        or one has a name that it cannot have
    """
    found: dict[str, base.Operation] = {}
    manager: extension.ExtensionManager[Any] = extension.ExtensionManager(
        NAMESPACE, on_load_failure_callback=_log_failure
    )
    for each in manager:
        if not isinstance(each.plugin, base.Operation):
            LOG.error(
                '%s of %s is no operation of nova-qga, and is left out',
                each.entry_point_target,
                NAMESPACE,
            )
        elif each.name in RESERVED or not _NAME.fullmatch(each.name):
            raise errors.ConfigurationError(
                f'{each.entry_point_target} of {NAMESPACE} has the name '
                f'{each.name}, which nova-qga uses itself or which is no '
                'name of a method: remove the package that brings it'
            )
        elif each.plugin.name in found or each.plugin.name != each.name:
            raise errors.ConfigurationError(
                f'the operation {each.name} in {NAMESPACE}, '
                f'{each.entry_point_target}, is there twice or has another '
                'name: remove the package that brings it'
            )
        else:
            found[each.name] = each.plugin
    return found


def _log_failure(_: Any, entry_point: Any, error: BaseException) -> None:
    LOG.error(
        'the operation %s, %s, cannot be loaded and is left out: %s',
        entry_point.name,
        entry_point.value,
        error,
    )
