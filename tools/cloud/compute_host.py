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

"""A compute host: namespaces, sshd, libvirtd, nova-compute, nova-qga-agent.

Nova copies disks between hosts over ssh, and libvirt moves guests between
them over TCP, as on real hosts.
"""

import os
import pathlib
import shutil

import libvirt

from cloud import configuration
from cloud import layout
from cloud import programs
from nova_qga.tests.fixtures import process

NAMESPACE = str(pathlib.Path(__file__).with_name('host-namespace.sh'))

#: What libvirtd needs for Nova; the others would touch the machine's network.
DRIVERS = ('qemu', 'nodedev', 'secret')

FOLDERS = (
    'run/libvirt',
    'run/sshd',
    'ssh',
    'lib/qemu',
    'cache',
    'log/qemu',
    'etc',
    'nova/instances',
    'nova/lock',
    'nova-qga',
    'drivers',
)

#: Seconds for anything to start; a loaded machine may need many.
START = 300


class ComputeHost:
    """One host.

    :ivar address: its own loopback address
    :ivar root: folder of what is its own; see host-namespace.sh
    :ivar uri: of its libvirtd, from anywhere on this machine
    """

    def __init__(self, run: programs.Programs, name: str) -> None:
        self.name = name
        self.address = layout.ADDRESSES[name]
        self.root = run.place.run / name
        self._libvirtd = (self.address, run.place.ports['libvirt'])
        self.uri = 'qemu+tcp://{}:{}/system'.format(*self._libvirtd)
        self._run = run
        self._running: dict[str, process.Process] = {}

    def prepare(self) -> None:
        """Make its folders and files, once."""
        for folder in FOLDERS:
            (self.root / folder).mkdir(parents=True, exist_ok=True)
        (self.root / 'ssh').chmod(0o700)
        for name in ('id_ed25519', 'id_ed25519.pub', 'authorized_keys'):
            source = self._run.place.run / 'ssh' / name
            shutil.copy(source, self.root / 'ssh' / name)
        shutil.chown(self.root / 'lib/qemu', 'libvirt-qemu', 'libvirt-qemu')
        (self.root / 'lib/qemu').chmod(0o750)
        self._link_drivers()
        configuration.write_host(self._run.place, self.name, self.root)
        self.configure_qga('')

    def configure_qga(self, text: str) -> None:
        """Write ``[qga]`` for the next start of nova-compute."""
        self._qga_file.write_text(text)

    def boot(self) -> None:
        """Be powered on: all but nova-compute and nova-qga-agent."""
        ready = self.root / 'ready'
        ready.unlink(missing_ok=True)
        namespace = ('unshare', '--mount', '--uts', '--propagation', 'private')
        self._running['namespace'] = self._run.start(
            f'{self.name}-namespace',
            *(*namespace, 'bash', NAMESPACE, self.name, str(self.root)),
        )
        self._running['namespace'].wait_until(ready.exists, 'it is made')
        self._start('sshd', '/usr/sbin/sshd', '-D', '-e', '-f', self._sshd)
        self._start('virtlogd', '/usr/sbin/virtlogd')
        drivers = f'LIBVIRT_DRIVER_DIR={self.root}/drivers'
        daemon = ('env', drivers, '/usr/sbin/libvirtd', '--listen')
        self._start('libvirtd', *daemon).wait_until(
            lambda: process.accepts(self._libvirtd), 'libvirtd listens', START
        )

    def start_compute(self) -> None:
        """Start nova-compute; return when it has reported its resources."""
        log = self._run.place.log / f'{self.name}-nova-compute.log'
        before = log.stat().st_size if log.exists() else 0

        def is_ready() -> bool:
            with log.open(errors='replace') as text:
                text.seek(before)
                return 'Final resource view' in text.read()

        program = str(self._run.place.programs / 'nova-compute')
        # It says that it is ready at debug level only.
        options = ('--debug', *self.nova_files)
        self._start('nova-compute', program, *options).wait_until(
            is_ready, 'nova-compute is ready', START
        )

    def restart_compute(self, qga: str) -> None:
        """Restart nova-compute with other ``[qga]`` options.

        :param qga: lines of the group
        """
        self.configure_qga(f'[qga]\n{qga}\n')
        self._running['nova-compute'].terminate(60)
        self.start_compute()

    def start_agent(self) -> None:
        """Start nova-qga-agent, and do not wait."""
        program = str(self._run.place.programs / 'nova-qga-agent')
        self._start('nova-qga-agent', program, *self.agent_files)

    def lose_power(self) -> None:
        """Kill everything on the host, guests too; /run is then empty."""
        for part in reversed(self._running.values()):
            part.kill()
        self._running.clear()
        shutil.rmtree(self.root / 'run')
        for folder in ('run/libvirt', 'run/sshd'):
            (self.root / folder).mkdir(parents=True)

    def connect(self) -> libvirt.virConnect:
        """Open a connection to its libvirtd."""
        return libvirt.open(self.uri)

    def logged(self, program: str) -> str:
        """Return what a program of the host has logged in this run."""
        log = self._run.place.log / f'{self.name}-{program}.log'
        return log.read_text(errors='replace')

    @property
    def nova_files(self) -> list[str]:
        """Options that name the files of nova-compute."""
        etc = self._run.place.etc
        files = (etc / 'nova.conf', etc / f'{self.name}.conf', self._qga_file)
        return [w for file in files for w in ('--config-file', str(file))]

    @property
    def agent_files(self) -> list[str]:
        """Options that name the files of nova-qga-agent."""
        own = str(self._run.place.etc / 'nova-qga.conf')
        return [*self.nova_files, '--config-file', own]

    @property
    def _qga_file(self) -> pathlib.Path:
        return self._run.place.etc / f'{self.name}-qga.conf'

    @property
    def _sshd(self) -> str:
        return str(self.root / 'sshd_config')

    def _start(self, name: str, *argv: str) -> process.Process:
        inside = str(self._running['namespace'].pid)
        command = ('nsenter', '-t', inside, '--mount', '--uts', '--', *argv)
        started = self._run.start(f'{self.name}-{name}', *command)
        self._running[name] = started
        return started

    def _link_drivers(self) -> None:
        for name in DRIVERS:
            [driver] = pathlib.Path('/usr/lib').glob(
                f'*/libvirt/connection-driver/libvirt_driver_{name}.so'
            )
            os.symlink(driver, self.root / 'drivers' / driver.name)
