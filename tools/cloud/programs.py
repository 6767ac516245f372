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

"""Run the cloud's programs: those that end, and those that stay.

What stays is under a leash (nova_qga/tests/fixtures/leash.py): it dies with
this process, and nothing is ever looked for by name.
"""

from collections.abc import Sequence
import contextlib
import os
import subprocess

from cloud import layout
from nova_qga.tests.fixtures import process


class ProgramFailed(Exception):
    """A program ended with a status other than 0.

    :ivar status: its exit status
    """

    def __init__(
        self, command: Sequence[str], done: subprocess.CompletedProcess[str]
    ) -> None:
        super().__init__(
            f'exit status {done.returncode} of {" ".join(command)}:\n'
            f'{done.stdout[-3000:]}{done.stderr[-3000:]}'
        )
        self.status = done.returncode


class Programs:
    """Those of one cloud, and where what stays is ended.

    :param parts: closed at the end of the run
    """

    def __init__(
        self, place: layout.Layout, parts: contextlib.ExitStack
    ) -> None:
        self.place = place
        self._parts = parts
        self.env = {
            'PATH': f'{place.programs}:{process.PATH}',
            'LC_ALL': 'C.UTF-8',
            # Threads, also where eventlet is still the default.
            'OS_NOVA_DISABLE_EVENTLET_PATCHING': 'true',
            'OS_CLOUD': layout.CLOUD,
            'OS_CLIENT_CONFIG_FILE': f'{place.etc}/clouds.yaml',
            'OS_KEYSTONE_CONFIG_DIR': str(place.etc),
            'OS_GLANCE_CONFIG_DIR': str(place.etc),
            'OS_PLACEMENT_CONFIG_DIR': str(place.etc),
            'OS_NEUTRON_CONFIG_DIR': str(place.etc),
            'OS_NEUTRON_CONFIG_FILES': 'neutron.conf;ml2_conf.ini',
            'OS_NOVA_CONFIG_DIR': str(place.etc),
            'OS_NOVA_CONFIG_FILES': (
                'api-paste.ini;nova.conf;nova-databases.conf'
            ),
        }

    def start(self, name: str, *argv: str) -> process.Process:
        """Start a program that stays; its output goes to ``<name>.log``."""
        return self._parts.enter_context(
            process.Process(
                argv,
                folder=self.place.run,
                log=self.place.log / f'{name}.log',
                env=self.env,
            )
        )

    def run(
        self, *argv: str, given: str | None = None, seconds: float = 600
    ) -> str:
        """Run a program that ends, and return what it prints.

        :param given: its standard input
        :raises ProgramFailed: it ended with a status other than 0.
        """
        done = subprocess.run(
            argv,
            env={**os.environ, **self.env},
            cwd=self.place.run,
            input=given,
            stdin=subprocess.DEVNULL if given is None else None,
            capture_output=True,
            text=True,
            check=False,
            timeout=seconds,
        )
        if done.returncode:
            raise ProgramFailed(argv, done)
        return done.stdout
