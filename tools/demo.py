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

"""The demonstration that tools/demo.sh runs; nothing in it is a stand-in.

A libvirtd of its own boots a Linux guest with two agents. Then the command
line does what an operator would, and each result is looked at through the
guest's serial port, which no agent has a part in.
"""

import argparse
from collections.abc import Iterator
import contextlib
import hashlib
import json
import pathlib
import secrets
import subprocess
import sys
import tempfile
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519
from passlib.hash import sha512_crypt

from nova_qga.tests.fixtures import demonstration
from nova_qga.tests.fixtures import guest_vm
from nova_qga.tests.fixtures import libvirtd
from nova_qga.tests.fixtures import process
from nova_qga.tests.fixtures import rabbitmq

PROGRAMS = pathlib.Path(sys.executable).parent
HOST = 'compute-1'
ACCOUNT = 'ubuntu'
# Enough for a transfer in several pieces.
FILE_SIZE = 5 * 1024 * 1024 + 321


class Demo:
    """One run.

    :param options: of the command line that say which host to talk to
    """

    def __init__(
        self, vm: guest_vm.GuestVM, options: list[str], folder: pathlib.Path
    ) -> None:
        self._vm = vm
        self._options = options
        self._folder = folder

    def run(self) -> None:
        """Do it all; raise Failed where the guest says otherwise."""
        print(self._command('guest', 'list'))
        print(self._command('guest', 'ping', self._vm.uuid))
        self._password()
        self._key()
        self._file()
        self._metrics()

    def _password(self) -> None:
        password = secrets.token_urlsafe(12)
        self._command(
            *('password', 'set', self._vm.uuid, '--user', ACCOUNT, '--stdin'),
            given=password,
        )
        entry = self._vm.inspect(f'grep ^{ACCOUNT}: /etc/shadow')
        self._check(
            f'the hash in /etc/shadow, {entry.split(":")[1][:12]}..., is '
            'that of the password',
            sha512_crypt.verify(password, entry.split(':')[1]),
        )

    def _key(self) -> None:
        public = self._folder / 'id_ed25519.pub'
        key = ed25519.Ed25519PrivateKey.generate().public_key()
        openssh = key.public_bytes(
            serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH
        )
        public.write_bytes(openssh + b' demo\n')
        self._command(
            *('key', 'add', self._vm.uuid, '--user', ACCOUNT),
            *('--key-file', str(public)),
        )
        print(self._command('key', 'list', self._vm.uuid, '--user', ACCOUNT))
        kept = f'/home/{ACCOUNT}/.ssh/authorized_keys'
        self._check(
            f'{kept} holds the key',
            public.read_text().strip() in self._vm.inspect(f'cat {kept}'),
        )
        stat = self._vm.inspect(f"stat -c '%U %a' {kept}").strip()
        self._check(f'its owner and mode are {stat}', stat == 'ubuntu 600')

    def _file(self) -> None:
        sent = self._folder / 'sent'
        sent.write_bytes(secrets.token_bytes(FILE_SIZE))
        digest = hashlib.sha256(sent.read_bytes()).hexdigest()
        self._command(
            *('file', 'put', self._vm.uuid, str(sent), '/tmp/demo'),
            '--verify',
        )
        seen = self._vm.inspect('sha256sum /tmp/demo').split()[0]
        self._check(
            f'the SHA-256 of {FILE_SIZE} bytes there is {seen[:12]}..., as '
            'here',
            seen == digest,
        )
        fetched = self._folder / 'fetched'
        self._command('file', 'get', self._vm.uuid, '/tmp/demo', str(fetched))
        self._check(
            'what came back is the same',
            hashlib.sha256(fetched.read_bytes()).hexdigest() == digest,
        )

    def _metrics(self) -> None:
        print(self._command('metrics', 'show', self._vm.uuid))
        text = self._command('metrics', 'show', self._vm.uuid, '-f', 'json')
        total = self._vm.inspect("awk '/^MemTotal/ {print $2}' /proc/meminfo")
        self._check(
            f'its /proc/meminfo says MemTotal {total.strip()} kB, and so '
            'does guest.memory.total',
            _value(text, 'guest.memory.total') == int(total) * 1024,
        )
        print(
            self._command(
                *('top', '--once', '-c', 'Name', '-c', 'Host', '-c', 'Source'),
                *('-c', 'CPU %', '-c', 'Load', '-c', 'Memory %'),
                *('-c', 'Filesystem %', '-c', 'Disk Read', '-c', 'Disk Write'),
            )
        )

    def _command(self, *words: str, given: str | None = None) -> str:
        """Run the command line and return what it prints."""
        command = [str(PROGRAMS / 'nova-qga'), *self._options, *words]
        shown = ' '.join(word for word in words if word != self._vm.uuid)
        demonstration.say(
            f'nova-qga {shown.replace(str(self._folder), "...")}'
        )
        done = subprocess.run(
            command, input=given, capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise demonstration.Failed(
                f'{" ".join(command)} ended with {done.returncode}:\n'
                f'{done.stdout}{done.stderr}'
            )
        return done.stdout.rstrip('\n')

    def _check(self, what: str, seen: bool) -> None:
        if not seen:
            raise demonstration.Failed(f'not so in the guest: {what}')
        demonstration.say(f'    in the guest: {what}')


def _value(text: str, name: str) -> Any:
    """Return the value of a metric in the command line's JSON."""
    for row in json.loads(text):
        lower = {key.lower(): value for key, value in row.items()}
        if lower.get('name') == name:
            return lower.get('value')
    return None


def configure(
    folder: pathlib.Path, host: libvirtd.Libvirtd, broker_url: str
) -> list[str]:
    """Write the two configuration files; return the options that name them."""
    nova = folder / 'nova.conf'
    nova.write_text(
        f'[DEFAULT]\nhost = {HOST}\ntransport_url = {broker_url}\n'
        f'[qga]\ndirect_channel = {guest_vm.DIRECT}\n'
        f'direct_channel_dir = {host.channel_dir}\n'
    )
    agent = folder / 'nova-qga.conf'
    agent.write_text(
        f'[qga_agent]\nlibvirt_uri = {host.uri}\n'
        f'state_path = {folder / "state"}\n'
        '[qga_monitor]\ninterval = 5\n'
    )
    (folder / 'state').mkdir()
    return ['--config-file', str(nova), '--config-file', str(agent)]


@contextlib.contextmanager
def agent(folder: pathlib.Path, files: list[str]) -> Iterator[None]:
    """Run a real nova-qga-agent, and wait until it answers."""
    argv = [str(PROGRAMS / 'nova-qga-agent'), *files]
    log = folder / 'agent.log'
    ping = [str(PROGRAMS / 'nova-qga'), *files, '--host', HOST]
    ping += ['--timeout', '2', 'guest', 'list']

    def answers() -> bool:
        done = subprocess.run(ping, capture_output=True, check=False)
        return done.returncode == 0

    with process.Process(argv, folder=folder, log=log) as service:
        service.wait_until(answers, 'nova-qga-agent answers')
        yield
        service.terminate()


def demonstrate(local: bool) -> None:
    """Start what is needed, run the demonstration, clean up."""
    start = demonstration.start
    with contextlib.ExitStack() as parts:
        folder = parts.enter_context(process.ShortFolder()).path
        work = pathlib.Path(parts.enter_context(tempfile.TemporaryDirectory()))
        host = start('a libvirtd of its own', parts, libvirtd.Libvirtd)
        url = 'fake://'
        if not local:
            url = start('a RabbitMQ node', parts, rabbitmq.RabbitMQ).url
        files = configure(folder, host, url)
        vm = start('a guest', parts, lambda: guest_vm.GuestVM(host))
        options = [*files, '--local']
        if not local:
            start('nova-qga-agent', parts, lambda: agent(folder, files))
            options = [*files, '--host', HOST]
        Demo(vm, options, work).run()


def main() -> int:
    """Parse the options, run, and say how it went."""
    parser = argparse.ArgumentParser(prog='tools/demo.sh')
    parser.add_argument(
        '--local', action='store_true', help='no broker, no agent service'
    )
    arguments = parser.parse_args()
    return demonstration.run(lambda: demonstrate(arguments.local))


if __name__ == '__main__':
    sys.exit(main())
