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

"""Run a shell command in a demonstration's guest: SOCKET COMMAND.

By a serial port of the guest, which no agent has a part in. Where a command
has a name, SOCKET is named by a program that tools/demo.sh --monitoring makes.
"""

import pathlib
import sys

from nova_qga.tests.fixtures import inspector

#: Seconds.
PATIENCE = 60.0


def main() -> int:
    """Run it, print what it prints, and return its exit status."""
    socket, *command = sys.argv[1:]
    guest = inspector.Inspector(pathlib.Path(socket))
    try:
        print(guest.run(' '.join(command), PATIENCE), end='')
    except inspector.CommandFailed as failure:
        print(failure, file=sys.stderr)
        return failure.status
    except (OSError, TimeoutError) as error:
        print(f'the guest cannot be asked: {error}', file=sys.stderr)
        return 1
    return 0


if __name__ == '__main__':
    sys.exit(main())
