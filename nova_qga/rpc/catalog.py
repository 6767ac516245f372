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

"""The operations that can be asked for: arguments, checks, what is called.

Each entry joins the name in a message to a function of
:mod:`nova_qga.operations`. Nothing that is not listed here can be run.
"""

import base64
from collections.abc import Callable, Mapping
import dataclasses
from typing import Any

from nova_qga import errors
from nova_qga.operations import accounts
from nova_qga.operations import agent as operations_agent
from nova_qga.operations import files
from nova_qga.operations import information
from nova_qga.operations import password
from nova_qga.operations import public_keys
from nova_qga.operations import ssh_keys
from nova_qga.rpc import validation

#: Bytes of a file in one request; longer ones are written in parts.
MAX_PART = 1024 * 1024

_REQUIRED = validation.REQUIRED
_USERNAME = (validation.text(accounts.MAX_NAME), _REQUIRED)
_KEYS = (
    validation.texts(ssh_keys.MAX_KEYS, public_keys.MAX_LINE),
    _REQUIRED,
)
_PATH = (validation.text(files.MAX_PATH), _REQUIRED)
_OFFSET = (validation.integer(0, files.MAX_OFFSET), 0)

Agent = operations_agent.Agent
Arguments = Mapping[str, Any]


@dataclasses.dataclass(frozen=True, slots=True)
class Limits:
    """What requests may ask for on this host.

    :ivar max_file_size: bytes
    """

    max_file_size: int


@dataclasses.dataclass(frozen=True, slots=True)
class Operation:
    """One operation.

    :ivar has_effect: it changes the guest, and so never runs twice
    :ivar arguments: name -> check and default
    :ivar check: what the arguments must be to each other and to the limits
    :ivar run: does it; returns the result
    """

    name: str
    has_effect: bool
    arguments: Mapping[str, tuple[validation.Check, Any]]
    check: Callable[[Arguments, Limits], None]
    run: Callable[[Agent, Arguments, Limits], dict[str, Any]]


def _check_password(given: Arguments, _: Limits) -> None:
    password.check_password(
        given['username'], given['password'], given['crypted']
    )


def _set_password(agent: Agent, given: Arguments, _: Limits) -> dict[str, Any]:
    password.set_password(agent, **given)
    return {}


def _check_keys(given: Arguments, _: Limits) -> None:
    accounts.check_username(given['username'])
    ssh_keys.check_keys(given['keys'])


def _add_keys(agent: Agent, given: Arguments, _: Limits) -> dict[str, Any]:
    return {**ssh_keys.add_ssh_keys(agent, **given)}


def _remove_keys(agent: Agent, given: Arguments, _: Limits) -> dict[str, Any]:
    return {**ssh_keys.remove_ssh_keys(agent, **given)}


def _check_username(given: Arguments, _: Limits) -> None:
    accounts.check_username(given['username'])


def _list_keys(agent: Agent, given: Arguments, _: Limits) -> dict[str, Any]:
    return {'keys': ssh_keys.list_ssh_keys(agent, **given)}


def _check_write(given: Arguments, limits: Limits) -> None:
    end = given['offset'] + len(given['content'])
    size = given['size']
    files.check_range(given['path'], given['offset'], len(given['content']))
    if size is not None and size < end:
        raise errors.InvalidRequest(
            f'this part ends at byte {end}, and the whole file would have '
            f'{size}: correct size, offset or content'
        )
    _check_size(max(end, size or 0), limits)


def _write_file(agent: Agent, given: Arguments, _: Limits) -> dict[str, Any]:
    return files.write_file(
        agent,
        path=given['path'],
        data=given['content'],
        offset=given['offset'],
        verify=given['verify'],
    )


def _check_read(given: Arguments, limits: Limits) -> None:
    files.check_range(given['path'], given['offset'], given['length'])
    _check_size(given['offset'], limits)


def _read_file(
    agent: Agent, given: Arguments, limits: Limits
) -> dict[str, Any]:
    # One byte beyond the limit tells a file that is too large from one that
    # just ends there.
    allowed = limits.max_file_size - given['offset']
    part = files.read_file(
        agent,
        path=given['path'],
        offset=given['offset'],
        length=min(given['length'], allowed + 1),
    )
    if len(part.data) > allowed:
        _check_size(limits.max_file_size + 1, limits)
    encoded = base64.b64encode(part.data).decode()
    return {'content': encoded, 'eof': part.eof}


def _check_size(size: int, limits: Limits) -> None:
    if size > limits.max_file_size:
        raise errors.InvalidRequest(
            f'the file has at least {size} bytes, and this host allows '
            f'{limits.max_file_size}: let the guest fetch it by itself, or '
            'have [qga_operations]max_file_size raised'
        )


def _no_check(_: Arguments, __: Limits) -> None:
    """There is nothing more to check."""


def _get_info(agent: Agent, _: Arguments, __: Limits) -> dict[str, Any]:
    return information.get_info(agent)


def _ping(agent: Agent, _: Arguments, __: Limits) -> dict[str, Any]:
    return {**information.ping(agent)}


OPERATIONS: Mapping[str, Operation] = {
    each.name: each
    for each in (
        Operation(
            'set_password',
            True,
            {
                'username': _USERNAME,
                # As much as a hash may have.
                'password': (validation.text(1024), _REQUIRED),
                'crypted': (validation.flag, _REQUIRED),
            },
            _check_password,
            _set_password,
        ),
        Operation(
            'add_ssh_keys',
            True,
            {
                'username': _USERNAME,
                'keys': _KEYS,
                'replace': (validation.flag, False),
            },
            _check_keys,
            _add_keys,
        ),
        Operation(
            'remove_ssh_keys',
            True,
            {'username': _USERNAME, 'keys': _KEYS},
            _check_keys,
            _remove_keys,
        ),
        Operation(
            'list_ssh_keys',
            False,
            {'username': _USERNAME},
            _check_username,
            _list_keys,
        ),
        Operation(
            'write_file',
            True,
            {
                'path': _PATH,
                'content': (validation.content(MAX_PART), _REQUIRED),
                'offset': _OFFSET,
                'size': (
                    validation.optional(
                        validation.integer(0, files.MAX_OFFSET)
                    ),
                    None,
                ),
                'verify': (validation.flag, False),
            },
            _check_write,
            _write_file,
        ),
        Operation(
            'read_file',
            False,
            {
                'path': _PATH,
                'offset': _OFFSET,
                'length': (validation.integer(1, MAX_PART), MAX_PART),
            },
            _check_read,
            _read_file,
        ),
        Operation('get_info', False, {}, _no_check, _get_info),
        Operation('ping', False, {}, _no_check, _ping),
    )
}
