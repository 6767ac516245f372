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

"""Load collectors and publishers by the names that the operator gave."""

from collections.abc import Mapping, Sequence
from typing import Any, NoReturn

from stevedore import extension
from stevedore import named

from nova_qga.collectors import base as collectors_base
from nova_qga import errors
from nova_qga.publishers import base as publishers_base

COLLECTORS = 'nova_qga.collectors'
PUBLISHERS = 'nova_qga.publishers'


def load_collectors(
    names: Sequence[str],
) -> dict[str, collectors_base.Collector]:
    """Return collectors by name, in order.

    :raises ConfigurationError: there is none of a name, or it does not load
    """
    return _load(COLLECTORS, '[qga_monitor]collectors', names)


def load_publishers(
    names: Sequence[str],
    context: publishers_base.Context,
    known: Mapping[str, publishers_base.Publisher],
) -> dict[str, publishers_base.Publisher]:
    """Return publishers by name, in order.

    :param known: used on where nothing has changed for them
    :raises ConfigurationError: there is none of a name, or it does not load;
        those that are known still work then
    """
    option = '[qga_monitor]publishers'
    made: dict[str, publishers_base.Publisher] = {}
    try:
        for name in names:
            if name not in known:
                # One by one: where the next fails, this one is closed.
                made |= _load(PUBLISHERS, option, [name], context)
            elif not known[name].is_current(context):
                made[name] = _renewed(name, known[name], context)
    except errors.ConfigurationError:
        for each in made.values():
            each.close()
        raise
    return {name: {**known, **made}[name] for name in names}


def _renewed(
    name: str,
    known: publishers_base.Publisher,
    context: publishers_base.Context,
) -> publishers_base.Publisher:
    try:
        return known.renewed(context)
    except errors.ConfigurationError:
        raise
    except Exception as error:
        raise errors.ConfigurationError(
            f'{name} of [qga_monitor]publishers cannot be made anew: {error}'
        ) from error


def _load(
    namespace: str, option: str, names: Sequence[str], *arguments: Any
) -> dict[str, Any]:
    def missing(unknown: Any) -> NoReturn:
        known = extension.ExtensionManager(namespace).entry_points_names()
        raise errors.ConfigurationError(
            f'{option} names {", ".join(sorted(unknown))}, which is not '
            f'installed; there are {", ".join(sorted(known))}'
        )

    def failed(_: Any, entry_point: Any, error: BaseException) -> NoReturn:
        raise errors.ConfigurationError(
            f'{entry_point.name} of {option} does not load '
            f'({entry_point.value}): {error}'
        ) from error

    manager: named.NamedExtensionManager[Any] = named.NamedExtensionManager(
        namespace,
        names=list(dict.fromkeys(names)),
        invoke_on_load=True,
        invoke_args=arguments,
        name_order=True,
        on_missing_entrypoints_callback=missing,
        on_load_failure_callback=failed,
    )
    return {each.name: each.obj for each in manager}
