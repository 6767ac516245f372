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

"""Ask Nova which host a server is on, and which hosts there are.

Through openstacksdk, with the credentials that every OpenStack client takes.
It asks and changes nothing, in microversion 2.1: later ones answer with user
data too, which may hold secrets and would be in a debug log. Nothing here
repeats a library's words, but for those that name what a configuration lacks.

Source: https://docs.openstack.org/api-ref/compute/ (servers, os-services).
"""

from collections.abc import Callable, Mapping
import re
import threading
from typing import Any, NamedTuple, TypeVar

from nova_qga.cli import compute_errors
from nova_qga.cli import outcome
from nova_qga import text

MICROVERSION = '2.1'
#: Servers of one name that an error lists.
MAX_NAMED = 5

_HOST = 'OS-EXT-SRV-ATTR:host'
_STATE = 'OS-EXT-STS:vm_state'
_TASK = 'OS-EXT-STS:task_state'

AnswerT = TypeVar('AnswerT')


class Server(NamedTuple):
    """A server, and the compute host that it is on."""

    uuid: str
    host: str


class ComputeHost(NamedTuple):
    """A host of nova-compute.

    :ivar down: why it is not worth asking; None where it is up
    """

    name: str
    down: str | None


class ComputeApi:
    """Nova's API.

    :param connection: of openstacksdk
    :param timeout: seconds for each question, with the login before it
    """

    def __init__(self, connection: Any, timeout: float) -> None:
        self._connection = connection
        self._timeout = timeout

    def find(self, uuid: str) -> Server:
        """Return a server and its host.

        :raises Failure: there is none, or its host is not to be known
        """
        answer = self._within(lambda: self._get(f'/servers/{uuid}'))
        if answer is None:
            raise outcome.Failure(
                f'Nova knows no server {uuid}, or does not show it to these '
                'credentials: they must be those of an administrator',
                outcome.ExitCode.NO_GUEST,
            )
        return Server(uuid, _host(uuid, _part(answer, 'server', dict)))

    def find_by_name(self, name: str) -> str:
        """Return the UUID of the one server of that name.

        :raises Failure: there is none, or more than one
        """
        answer = self._within(
            lambda: self._get(
                '/servers',
                name=f'^{re.escape(name)}$',
                all_tenants='1',
            )
        )
        servers = _part(answer, 'servers', list)
        # Databases take the pattern for letters of either case.
        found = [str(s['id']) for s in servers if s.get('name') == name]
        if len(found) == 1:
            return found[0]
        if found:
            shown = ', '.join(sorted(found)[:MAX_NAMED])
            raise outcome.Failure(
                f'{len(found)} servers are called "{name}", name one by its '
                f'UUID: {shown}',
                outcome.ExitCode.NO_GUEST,
            )
        raise outcome.Failure(
            f'Nova knows no server called "{name}"', outcome.ExitCode.NO_GUEST
        )

    def hosts(self) -> list[ComputeHost]:
        """Return the hosts of nova-compute, by name."""
        answer = self._within(
            lambda: self._get('/os-services', binary='nova-compute')
        )
        services = _part(answer, 'services', list)
        return sorted(
            ComputeHost(str(each['host']), _down(each)) for each in services
        )

    def _get(self, path: str, **query: str) -> Any:
        """Return what Nova answers; None where it knows no such thing."""
        answer = self._connection.compute.get(
            path, params=query, microversion=MICROVERSION
        )
        if answer.status_code == 404:
            return None
        compute_errors.check(answer.status_code)
        return answer.json()

    def _within(self, work: Callable[[], AnswerT]) -> AnswerT:
        """Work on a thread that is left behind if it takes too long.

        The library's own timeouts are for each byte that is waited for.
        """
        ended: list[AnswerT | Exception] = []

        def run() -> None:
            try:
                ended.append(work())
            except Exception as error:
                ended.append(error)

        thread = threading.Thread(target=run, name='qga-nova', daemon=True)
        thread.start()
        thread.join(self._timeout)
        if not ended:
            raise outcome.Failure(
                f'Nova and keystone did not answer within {self._timeout:g} '
                's: see that they run, or name the host with --host',
                outcome.ExitCode.NO_SERVICE,
            )
        [answer] = ended
        if isinstance(answer, Exception):
            raise compute_errors.explain(answer) from None
        return answer


def connect(cloud: str | None, timeout: float) -> ComputeApi:
    """Read the credentials; nothing is asked yet.

    :param cloud: name in clouds.yaml; None for ``OS_CLOUD`` or ``OS_*``
    :raises Failure: there are none, or they do not fit
    """
    try:
        import openstack
    except ImportError:
        raise outcome.Failure(
            'openstacksdk is not installed here, so Nova cannot be asked: '
            'install it, or name the host with --host',
            outcome.ExitCode.USAGE,
        ) from None
    try:
        connection = openstack.connect(
            cloud=cloud,
            app_name='nova-qga',
            api_timeout=timeout,
            # Else OS_COMPUTE_API_VERSION would say another.
            compute_api_version=MICROVERSION,
            compute_default_microversion=MICROVERSION,
        )
    except Exception as error:
        raise compute_errors.no_credentials(error) from None
    return ComputeApi(connection, timeout)


def _part(answer: Any, name: str, kind: type) -> Any:
    part = answer.get(name) if isinstance(answer, dict) else None
    if not isinstance(part, kind):
        raise outcome.Failure(
            f'what answers as Nova says nothing of "{name}": look at the '
            'compute endpoint in the catalog',
            outcome.ExitCode.NO_SERVICE,
        )
    return part


def _host(uuid: str, server: Mapping[str, Any]) -> str:
    if _HOST not in server:
        raise outcome.Failure(
            f'Nova does not show these credentials the host of server {uuid}: '
            "use an administrator's, or name the host with --host",
            outcome.ExitCode.USAGE,
        )
    host = server[_HOST]
    if not host:
        raise outcome.Failure(
            f'server {uuid} is on no host: {_why_nowhere(server)}',
            outcome.ExitCode.NO_GUEST,
        )
    return str(host)


def _why_nowhere(server: Mapping[str, Any]) -> str:
    state = text.printable(str(server.get(_STATE) or server.get('status')))
    if state == 'shelved_offloaded':
        return 'it is shelved; "openstack server unshelve" brings it back'
    if state == 'building':
        return 'it is being built; try again when it is active'
    if state == 'error':
        return 'it is in error; "openstack server show" says why'
    task = server.get(_TASK)
    doing = f', {text.printable(str(task))}' if task else ''
    return f'it is {state}{doing}'


def _down(service: Mapping[str, Any]) -> str | None:
    if service.get('state') == 'up':
        return None
    since = service.get('updated_at')
    seen = f', last seen {text.printable(str(since)[:19])}Z' if since else ''
    reason = service.get('disabled_reason')
    disabled = f' ({text.printable(str(reason))})' if reason else ''
    return f'nova-compute is down there{seen}{disabled}'
