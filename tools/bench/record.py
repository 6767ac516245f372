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

"""Record the replies of a real agent into replies.json.

Only read-only commands are sent. With --socket the agent is one that runs
already, in a test guest for one; otherwise qemu-ga is started here, in
unix-listen mode, and then the replies describe this machine.
"""

import argparse
import json
import pathlib
import tempfile

import agents
import wire

ONCE = (
    'guest-info',
    'guest-get-osinfo',
    'guest-get-host-name',
    'guest-get-timezone',
    'guest-get-vcpus',
    'guest-get-users',
    'guest-ping',
)
SAMPLED = (
    'guest-get-cpustats',
    'guest-get-diskstats',
    'guest-network-get-interfaces',
    'guest-get-fsinfo',
)
FILES = (
    '/proc/loadavg',
    '/proc/meminfo',
    '/proc/uptime',
    '/proc/sys/kernel/random/boot_id',
)


def record(agent: wire.Agent) -> dict[str, str]:
    """Return reply lines by command, or by command and path."""
    agent.sync()
    replies = {
        name: agent.ask_line({'execute': name}) for name in ONCE + SAMPLED
    }
    for path in FILES:
        handle = agent.ask(wire.file_command('open', path=path))
        replies[f'guest-file-read {path}'] = agent.ask_line(
            wire.file_command('read', handle=handle, count=65536)
        )
        agent.ask(wire.file_command('close', handle=handle))
    return replies


def main() -> None:
    """Record, and write what was recorded."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--socket', metavar='<path>', type=pathlib.Path)
    options = parser.parse_args()
    if options.socket:
        replies = record(wire.Agent(options.socket))
    else:
        with tempfile.TemporaryDirectory() as folder:
            with agents.real(pathlib.Path(folder), 1) as [agent]:
                replies = record(wire.Agent(agent.socket))
    version = json.loads(replies['guest-info'])['return']['version']
    wire.REPLIES.write_text(
        json.dumps({'agent': version, 'replies': replies}, indent=1) + '\n'
    )


if __name__ == '__main__':
    main()
