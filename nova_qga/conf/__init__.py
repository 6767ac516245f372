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

"""All options of nova-qga, one module a group.

A module has ``GROUP``, ``OPTS`` and ``register_opts(conf)``.
"""

from collections.abc import Sequence

from oslo_config import cfg

from nova_qga.conf import agent
from nova_qga.conf import http
from nova_qga.conf import jsonl
from nova_qga.conf import monitor
from nova_qga.conf import notification
from nova_qga.conf import operations
from nova_qga.conf import prometheus
from nova_qga.conf import qga

_GROUPS = (
    qga,
    agent,
    operations,
    monitor,
    notification,
    prometheus,
    http,
    jsonl,
)


def register_opts(conf: cfg.ConfigOpts) -> None:
    """Register the options of every group on ``conf``."""
    for module in _GROUPS:
        module.register_opts(conf)


def list_opts() -> list[tuple[cfg.OptGroup, Sequence[cfg.Opt]]]:
    """Return all options for oslo-config-generator and sphinxext."""
    return [(module.GROUP, module.OPTS) for module in _GROUPS]
