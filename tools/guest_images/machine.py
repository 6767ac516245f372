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

"""One QEMU process that runs an image of build.sh, and ways into it.

A way is a guest agent's port, or the root shell that systemd gives on the
second serial port, in which no agent has a part. The image itself is never
written to.
"""

import contextlib
import json
import os
import pathlib
import socket
import subprocess
from typing import Any

import fixtures

from guest_images import shell
from nova_qga import errors
from nova_qga.protocol import commands
from nova_qga.tests.fixtures import process
from nova_qga.tests.fixtures import wire

#: Seconds for a guest to boot; without KVM it takes 40, more where busy.
BOOT = 600
#: Seconds for what systemd does in a guest that runs.
SOON = 120

PORT = 'org.qemu.guest_agent.{}'

#: Where build.sh has left the images of the release that is tested; the
#: folders' names start so.
IMAGES = os.environ.get('NOVA_QGA_GUEST_IMAGES', '')


class Failed(Exception):
    """A command in the guest, or for QEMU, failed."""


class Machine(fixtures.Fixture):
    """A guest that boots, from set-up to clean-up.

    :param kind: of the image, as build.sh names it.
    :param ports: numbers of the agents' ports that it has from the start.
    :param seed: folder with what cloud-init is told.
    """

    def __init__(
        self,
        kind: str,
        ports: tuple[int, ...] = (0, 1),
        seed: pathlib.Path | None = None,
    ) -> None:
        super().__init__()
        self._image = pathlib.Path(f'{IMAGES}-{kind}')
        self._ports = ports
        self._seed = seed

    def _setUp(self) -> None:
        folder = self.useFixture(process.ShortFolder()).path
        self._folder = folder
        subprocess.run(
            ['qemu-img', 'create', '-q', '-f', 'qcow2', '-F', 'raw', '-b']
            + [str(self._image / 'disk.raw'), str(folder / 'disk.qcow2')],
            check=True,
        )
        self.log = pathlib.Path(f'{self._image}-qemu.log')
        self._qemu = self.useFixture(
            process.Process(self._argv(), folder=folder, log=self.log)
        )
        self._qemu.wait_until(
            lambda: all((folder / name).exists() for name in ('qmp', 'shell')),
            'QEMU listens',
        )

    def _argv(self) -> list[str]:
        argv = ['qemu-system-x86_64', '-accel', 'tcg', '-cpu', 'max']
        argv += [
            '-m',
            '768',
            '-nodefaults',
            '-display',
            'none',
            '-no-user-config',
        ]
        for file in ('kernel', 'initrd'):
            name = 'vmlinuz' if file == 'kernel' else file
            argv += [f'-{file}', str(self._image / name)]
        argv += ['-append', 'root=LABEL=cloudimg-rootfs console=ttyS0 ']
        argv[-1] += 'systemd.debug_shell=ttyS1'
        disk = self._folder / 'disk.qcow2'
        argv += ['-drive', f'file={disk},format=qcow2,if=virtio,cache=unsafe']
        if self._seed:
            argv += ['-drive', 'driver=vvfat,label=CIDATA,read-only=on,']
            argv[-1] += f'if=virtio,dir={self._seed}'
        argv += ['-netdev', 'user,id=net,ipv6=off']
        argv += ['-device', 'virtio-net-pci,netdev=net,romfile=']
        console = pathlib.Path(f'{self._image}-console.log')
        argv += ['-chardev', f'file,id=console,append=on,path={console}']
        argv += ['-serial', 'chardev:console']
        argv += ['-serial', f'unix:{self._folder}/shell,server=on,wait=off']
        argv += ['-qmp', f'unix:{self._folder}/qmp,server=on,wait=off']
        argv += ['-device', 'virtio-serial-pci,id=serial']
        for number in self._ports:
            path = self.socket_of(number)
            argv += ['-chardev', f'socket,id=agent{number},path={path},']
            argv[-1] += 'server=on,wait=off'
            argv += ['-device', 'virtserialport,bus=serial.0']
            argv[-1] += f',id=port{number},nr={number + 1},'
            argv[-1] += f'chardev=agent{number},name={PORT.format(number)}'
        return argv

    def socket_of(self, number: int) -> pathlib.Path:
        """Of an agent's port; it serves one client at a time."""
        return self._folder / f'agent{number}'

    def agent(self, number: int) -> wire.Client:
        """A session with an agent; each port serves one at a time."""
        return wire.Client(self.socket_of(number))

    def answers(self, number: int, seconds: float = SOON) -> bool:
        """Whether an agent answers in so many seconds."""
        return process.wait_until(
            lambda: self._answers(number), seconds, every=1
        )

    def _answers(self, number: int) -> bool:
        try:
            with self.agent(number) as client:
                return bool(client.run(commands.info()).version)
        except (OSError, errors.QgaError):
            return False

    def disabled(self, number: int) -> set[str]:
        """The commands that an agent does not do."""
        with self.agent(number) as client:
            info = client.run(commands.info())
        return {name for name, on in info.commands.items() if not on}

    def run(self, command: str, seconds: float = SOON) -> str:
        """What a command for sh prints in the guest.

        :raises Failed: it did not exit with 0.
        """
        status, printed = shell.Shell(self._folder / 'shell').run(
            command, seconds
        )
        if status:
            raise Failed(f'exit status {status} of {command!r}: {printed}')
        return printed.strip()

    def show(self, unit: str, setting: str) -> str:
        """What systemd says of a unit."""
        return self.run(f'systemctl show --value -p {setting} {unit}')

    def becomes(
        self, command: str, wanted: str, seconds: float = SOON
    ) -> bool:
        """Whether a command prints what is wanted before the time is up."""

        def is_so() -> bool:
            with contextlib.suppress(Failed, TimeoutError):
                return self.run(command) == wanted
            return False

        return process.wait_until(is_so, seconds, every=1)

    def failed_units(self) -> str:
        """What systemd calls failed, once it has started all it starts."""
        self.run('systemctl is-system-running --wait || true', BOOT)
        return self.run('systemctl list-units --failed --no-legend --plain')

    def reboot(self) -> None:
        """Have the guest reboot, and wait until it is another boot."""
        boot_id = 'cat /proc/sys/kernel/random/boot_id'
        before = self.run(boot_id)
        self.run('systemctl reboot --no-block')

        def is_another() -> bool:
            with contextlib.suppress(Failed, OSError):
                return self.run(boot_id, 20) != before
            return False

        if not process.wait_until(is_another, BOOT, every=2):
            raise Failed('the guest has not rebooted')

    def plug(self, number: int) -> None:
        """Plug a port into the running guest, as libvirt does."""
        backend = {
            'addr': {
                'type': 'unix',
                'data': {'path': str(self.socket_of(number))},
            },
            'server': True,
            'wait': False,
        }
        self._monitor(
            'chardev-add',
            id=f'agent{number}',
            backend={'type': 'socket', 'data': backend},
        )
        self._monitor(
            'device_add',
            driver='virtserialport',
            bus='serial.0',
            id=f'port{number}',
            nr=number + 1,
            chardev=f'agent{number}',
            name=PORT.format(number),
        )

    def unplug(self, number: int) -> None:
        """Take a port out of the running guest."""
        self._monitor('device_del', id=f'port{number}')

        def is_gone() -> bool:
            with contextlib.suppress(Failed):
                self._monitor('chardev-remove', id=f'agent{number}')
                return True
            return False

        if not process.wait_until(is_gone, SOON, every=0.5):
            raise Failed(f'port {number} stays')

    def _monitor(self, command: str, **arguments: Any) -> Any:
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(SOON)
            client.connect(str(self._folder / 'qmp'))
            lines = client.makefile('r')
            lines.readline()
            for name, given in (
                ('qmp_capabilities', {}),
                (command, arguments),
            ):
                request = {'execute': name, 'arguments': given}
                client.sendall(json.dumps(request).encode())
                # Events come between.
                answer = json.loads(lines.readline())
                while 'event' in answer:
                    answer = json.loads(lines.readline())
                if 'error' in answer:
                    raise Failed(f'{command}: {answer["error"]["desc"]}')
            return answer['return']
