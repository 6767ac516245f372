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

"""Who asks: what the context of a message says of a user.

Whoever may write to the broker is trusted to have asked who the user is, as
everywhere in OpenStack. What is no name and no role is nobody's.

Source: oslo_context/context.py, RequestContext.to_dict().
"""

from collections.abc import Mapping
import dataclasses
from typing import Any

from nova_qga import text

_MAX_NAME = 255
_MAX_ROLES = 100


@dataclasses.dataclass(frozen=True, slots=True)
class User:
    """A user of Nova, or an operator; nobody where all of it is empty."""

    user_id: str = ''
    project_id: str = ''
    roles: tuple[str, ...] = ()
    is_admin: bool = False

    def credentials(self) -> dict[str, Any]:
        """Return what oslo.policy compares rules with."""
        return {
            'user_id': self.user_id,
            'project_id': self.project_id,
            'roles': list(self.roles),
            'is_admin': self.is_admin,
        }


def of_context(context: Any) -> User:
    """Return the user of a message."""
    if not isinstance(context, Mapping):
        return User()
    roles = context.get('roles')
    if not isinstance(roles, list | tuple):
        roles = ()
    # Nova names it user_id, oslo.context itself user.
    return User(
        _name(context.get('user_id')) or _name(context.get('user')),
        _name(context.get('project_id')),
        tuple(filter(None, map(_name, roles[:_MAX_ROLES]))),
        context.get('is_admin') is True,
    )


def operator(name: str) -> dict[str, Any]:
    """Return the context of somebody who runs ``nova-qga``.

    Who can read the broker's credentials, or is root on a compute host, needs
    no other proof.

    :param name: of the account that runs it
    """
    return {
        'user_id': name,
        'project_id': None,
        'roles': ['admin'],
        'is_admin': True,
    }


def _name(value: Any) -> str:
    if not isinstance(value, str) or len(value) > _MAX_NAME:
        return ''
    return text.printable(value)
