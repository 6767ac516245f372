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

"""One server of the cloud, seen from its host and from inside.

From its host: the live XML, and the standard channel through libvirt. From
inside: a shell at its second serial port, in which no agent has a part. The
direct channel has one client, nova-qga-agent: it is asked by nova-qga.
"""

import base64
import collections
from collections.abc import Callable
import json
import time
from typing import Any, TypeVar
from xml.etree import ElementTree

import libvirt
import libvirt_qemu

from cloud import api
from cloud import command_line
from cloud import compute_host
from cloud import report
from nova_qga.tests.fixtures import inspector
from nova_qga.tests.fixtures import process

STANDARD = 'org.qemu.guest_agent.0'
DIRECT = 'org.qemu.guest_agent.1'

#: Where a channel's socket is, on each host.
SOCKET = '/var/lib/libvirt/qemu/{channel}.{domain}.sock'

Found = TypeVar('Found')


class Guest:
    """One server.

    :ivar id: its UUID
    """

    def __init__(
        self,
        server: str,
        cloud: api.Api,
        hosts: dict[str, compute_host.ComputeHost],
        qga: command_line.CommandLine,
    ) -> None:
        self.id = server
        self._api = cloud
        self._hosts = hosts
        self._qga = qga

    @property
    def host(self) -> compute_host.ComputeHost:
        """Where Nova says that it is."""
        return self._hosts[self._api.server(self.id).compute_host]

    def channels(self) -> dict[str, list[tuple[str, str]]]:
        """Path and state of each agent channel in the live XML, by name."""
        found = collections.defaultdict(list)
        for channel in self._xml().iterfind('./devices/channel'):
            source, target = channel.find('source'), channel.find('target')
            if source is not None and target is not None:
                name, state = target.get('name', ''), target.get('state', '')
                found[name].append((source.get('path', ''), state))
        return dict(found)

    def expect(self, *channels: str) -> None:
        """Expect these channels and no others, each once, with agents.

        :raises NotAsPromised: it is otherwise, also after a while.
        """
        domain = self._domain(lambda found: str(found.name()))
        wanted = {
            name: [(SOCKET.format(channel=name, domain=domain), 'connected')]
            for name in channels
        }
        if not process.wait_until(
            lambda: self.channels() == wanted, api.PATIENCE, 0.3
        ):
            raise report.NotAsPromised(
                f'{self.id} has the channels {self.channels()}, not {wanted}'
            )
        if STANDARD in channels:
            self.expect_standard_agent()
        if DIRECT in channels:
            self.expect_direct_agent()

    def expect_standard_agent(self) -> None:
        """Expect an answer on the standard channel, through libvirt."""
        answer = self._ask_agent('guest-ping')
        if answer != {}:
            raise report.NotAsPromised(f'guest-ping gave {answer}')

    def expect_direct_agent(self) -> None:
        """Expect an answer on the direct channel, through nova-qga."""
        end = time.monotonic() + 120
        while True:
            channel = self.pinged_over()
            if channel == 'direct':
                return
            if time.monotonic() > end:
                raise report.NotAsPromised(f'it answers over {channel} only')

    def pinged_over(self) -> str:
        """Which channel nova-qga reaches it on."""
        answer = self._qga.ask(self.host.name, 'guest', 'ping', self.id)
        return str(answer['channel'])

    def inspect(self, command: str, seconds: float = 120) -> str:
        """What a shell command prints inside the guest; no agent is asked."""
        address = self._serial_port()
        if address is None:
            raise report.NotAsPromised(f'{self.id} has no second serial port')
        return inspector.Inspector(address).run(command, seconds)

    def boot_id(self) -> str:
        """Which boot of the guest's kernel this is."""
        path = '/proc/sys/kernel/random/boot_id'
        if self._serial_port() is not None:
            return self.inspect(f'cat {path}').strip()
        # Nova gives none to a server that it rescues or moves back.
        handle = self._ask_agent('guest-file-open', path=path)
        read = self._ask_agent('guest-file-read', handle=handle)
        self._ask_agent('guest-file-close', handle=handle)
        return base64.b64decode(read['buf-b64']).decode().strip()

    def _serial_port(self) -> tuple[str, int] | None:
        source = self._xml().find(
            "./devices/serial/target[@port='1']/../source"
        )
        if source is None:
            return None
        return source.get('host', ''), int(source.get('service', ''))

    def _ask_agent(self, command: str, **arguments: object) -> Any:
        """Return the answer of the standard channel's agent."""
        request: dict[str, object] = {'execute': command}
        if arguments:
            request['arguments'] = arguments
        answer = self._domain(
            lambda found: libvirt_qemu.qemuAgentCommand(
                found, json.dumps(request), 60, 0
            )
        )
        return json.loads(answer)['return']

    def _xml(self) -> ElementTree.Element:
        text = self._domain(lambda found: str(found.XMLDesc()))
        return ElementTree.fromstring(text)

    def _domain(self, ask: Callable[[libvirt.virDomain], Found]) -> Found:
        connection = self.host.connect()
        try:
            return ask(connection.lookupByUUIDString(self.id))
        finally:
            connection.close()
