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

"""What tools/demo.sh --monitoring runs: all that monitors one real guest.

A libvirtd of its own with a Linux guest and its qemu-ga, a RabbitMQ node,
nova-qga-agent, a Prometheus that fetches from it, and the notification agent
of a Ceilometer that takes its notifications. It leaves them running for
somebody who follows doc/source/install/monitoring-guide.rst, and ends them
at Ctrl-C.
"""

import argparse
from collections.abc import Iterable
import contextlib
import pathlib
import shlex
import shutil
import signal
import sys

from nova_qga.tests.fixtures import agent_program
from nova_qga.tests.fixtures import ceilometer
from nova_qga.tests.fixtures import demonstration
from nova_qga.tests.fixtures import guest_vm
from nova_qga.tests.fixtures import libvirtd
from nova_qga.tests.fixtures import prometheus_server
from nova_qga.tests.fixtures import rabbitmq

ROOT = pathlib.Path(__file__).resolve().parents[1]
PROGRAMS = pathlib.Path(sys.executable).parent
RULES = ROOT / 'etc/prometheus/rules/nova_qga.yaml'
FOLDER = pathlib.Path('/tmp/nova-qga-demo')
HOST = 'compute-1'

OPTIONS = """
[qga_monitor]
interval = 5
slow_interval = 15
publishers = notification, prometheus
[qga_prometheus]
listen_port = {port}
"""

INVITATION = """\
demo: all of it runs, until Ctrl-C. Type in another terminal

    . {folder}/env

demo: and then what doc/source/install/monitoring-guide.rst says, such as

    nova-qga metrics show $GUEST
    promtool query instant $PROMETHEUS guest_agent_up

demo: in a browser: {url}/graph
"""


class Place(contextlib.AbstractContextManager['Place']):
    """The folder in which the reader finds everything.

    :raises Failed: it is there already
    """

    def __init__(self, path: pathlib.Path) -> None:
        self.path = path

    def __enter__(self) -> 'Place':
        try:
            self.path.mkdir(mode=0o755)
        except FileExistsError:
            raise demonstration.Failed(
                f'{self.path} is there already: end the other demonstration, '
                'remove the folder, or name another one with --folder'
            ) from None
        (self.path / 'bin').mkdir()
        return self

    def __exit__(self, *_: object) -> None:
        shutil.rmtree(self.path, ignore_errors=True)

    def add_program(self, name: str, *words: object) -> None:
        """Write a program of these words and its own arguments."""
        path = self.path / 'bin' / name
        path.write_text(f'#!/bin/sh\nexec {_words(words)} "$@"\n')
        path.chmod(0o755)

    def write_environment(self, **values: object) -> None:
        """Write what the reader's shell reads."""
        lines = [f'export {name}={_words([values[name]])}' for name in values]
        path = f'{_words([self.path / "bin"])}:{_words([PROGRAMS])}'
        (self.path / 'env').write_text(
            '\n'.join([*lines, f'export PATH={path}:$PATH', ''])
        )


def _words(words: Iterable[object]) -> str:
    """Return words as a shell takes them."""
    return ' '.join(shlex.quote(str(word)) for word in words)


def demonstrate(folder: pathlib.Path) -> None:
    """Start everything, invite the reader, and wait for the end."""
    start, say = demonstration.start, demonstration.say
    with contextlib.ExitStack() as parts:
        place = parts.enter_context(Place(folder))
        say('installing Ceilometer; the first time that takes minutes')
        ceilometer.install()
        # Then libvirt counts what the guest sends.
        tap = pathlib.Path('/dev/net/tun').exists()
        host = start(
            'a libvirtd of its own',
            parts,
            lambda: libvirtd.Libvirtd(network=tap),
        )
        url = start('a RabbitMQ node', parts, rabbitmq.RabbitMQ).url
        channels = [(guest_vm.STANDARD, None)]
        vm = start(
            'a guest',
            parts,
            lambda: guest_vm.GuestVM(host, channels=channels, tap=tap),
        )
        port = rabbitmq.free_port()
        agent = start(
            'nova-qga-agent',
            parts,
            lambda: agent_program.AgentProgram(
                host.uri,
                url,
                OPTIONS.format(port=port),
                host=HOST,
                folder=folder,
            ),
        )
        server = start(
            'Prometheus',
            parts,
            lambda: prometheus_server.PrometheusServer(port, [RULES]),
        )
        telemetry = start(
            'the notification agent of Ceilometer',
            parts,
            lambda: ceilometer.NotificationAgent(url),
        )
        server.wait_for('guest_agent_up')
        telemetry.wait_for(vm.uuid, 1)
        furnish(place, vm, agent)
        (folder / 'prometheus.yml').symlink_to(server.file)
        (folder / 'ceilometer').symlink_to(telemetry.configuration.parent)
        place.write_environment(
            DEMO=folder,
            GUEST=vm.uuid,
            METRICS=f'http://127.0.0.1:{port}/metrics',
            PROMETHEUS=server.url,
            SAMPLES=telemetry.file,
            LIBVIRT_DEFAULT_URI=host.uri,
        )
        print(INVITATION.format(folder=folder, url=server.url), flush=True)
        with contextlib.suppress(KeyboardInterrupt):
            signal.pause()
        say('ending all of it')


def furnish(
    place: Place, vm: guest_vm.GuestVM, agent: agent_program.AgentProgram
) -> None:
    """Make the reader's commands short."""
    place.add_program(
        'nova-qga',
        PROGRAMS / 'nova-qga',
        *(f'--config-file={place.path / name}' for name in agent.FILES),
        f'--host={HOST}',
    )
    place.add_program(
        'in-guest',
        sys.executable,
        ROOT / 'tools/in_guest.py',
        vm.definition.inspector,
    )
    (place.path / 'agent.pid').write_text(f'{agent.pid}\n')


def main() -> int:
    """Parse the options, run, and say how it went."""
    parser = argparse.ArgumentParser(prog='tools/demo.sh --monitoring')
    parser.add_argument(
        '--folder',
        type=pathlib.Path,
        default=FOLDER,
        help='to be made, for all that is to be found (default: %(default)s)',
    )
    folder = parser.parse_args().folder.absolute()
    return demonstration.run(lambda: demonstrate(folder))


if __name__ == '__main__':
    sys.exit(main())
