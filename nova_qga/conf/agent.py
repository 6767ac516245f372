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

"""The ``[qga_agent]`` options: how nova-qga-agent runs and reaches guests.

``[DEFAULT]host`` is Nova's own option: the agent must answer to the name by
which Nova knows its host, and so reads it from nova.conf.
"""

import socket

from oslo_config import cfg

GROUP = cfg.OptGroup(
    'qga_agent',
    title='The agent on a compute host',
    help="""
How nova-qga-agent runs, and how long it waits for guests.

The command line reads this group too, where it is used with ``--local``.
""",
)

#: Registered for its value, and documented by Nova.
HOST = cfg.StrOpt(
    'host',
    default=socket.gethostname(),
    sample_default='<current_hostname>',
    help="""
The name of this host, as Nova knows it.

nova-qga-agent answers to requests for this name. Set it in nova.conf, which
nova-compute and nova-qga-agent both read, and nowhere else.
""",
)

OPTS = [
    cfg.StrOpt(
        'libvirt_uri',
        default='qemu:///system',
        help="""
The URI of the libvirt whose guests are served.

Change it where libvirtd listens elsewhere, or to ``test:///<file>`` to try
nova-qga without a guest. It must be the libvirt that nova-compute uses, so
set it together with ``[libvirt]connection_uri`` of nova.conf.

Restart nova-qga-agent after a change.
""",
    ),
    cfg.StrOpt(
        'state_path',
        default='/var/lib/nova-qga',
        help="""
The folder in which nova-qga-agent keeps its journal and its keys.

The journal holds what was asked and how it ended, which guests are frozen and
until when, and the notifications that the broker has not taken yet, never a
password, a key or a file's content. It is what keeps a request from being run
twice, so keep it over restarts and upgrades, and never share it between hosts.
The folder is made if it is missing; the files in it are readable by their
owner alone. While it cannot be written, no operation is run in any guest.
``key_pairs.json`` has the keys that passwords are sealed to.

Restart nova-qga-agent after a change.
""",
    ),
    cfg.FloatOpt(
        'sync_timeout',
        default=5.0,
        min=0.1,
        help="""
Seconds to wait for a guest's agent to show that it is there.

Nothing is sent to a guest before its agent has answered within this time, so
that nothing runs late. Raise it for guests on hosts that are short of
processor time. On the standard channel libvirt waits 5 s, whatever this says.

Restart nova-qga-agent after a change.

Related options:

* ``[qga_agent]command_timeout``: the wait for each command after that.
""",
    ),
    cfg.FloatOpt(
        'command_timeout',
        default=10.0,
        min=0.1,
        help="""
Seconds to wait for a guest to answer one command.

A command that changes something and is not answered in time ends as
``unknown``: it may have been run. Raise this for guests on slow disks; do not
raise it to hide a dead agent, because one worker is held for the whole wait.

Restart nova-qga-agent after a change.

Related options:

* ``[qga_agent]operation_timeout``: for all commands of an operation.
* ``[qga_agent]rpc_workers``: at most this many waits run at once.
""",
    ),
    cfg.FloatOpt(
        'operation_timeout',
        default=60.0,
        min=1.0,
        help="""
Seconds that one operation in a guest may take in all.

A request that expires earlier is stopped earlier. Raise it where large files
are written to slow guests; callers who wait for an answer must then wait
longer too.

Restart nova-qga-agent after a change.

Related options:

* ``[qga_agent]command_timeout``: for each command of an operation.
""",
    ),
    cfg.IntOpt(
        'rpc_workers',
        default=16,
        min=1,
        max=256,
        help="""
The number of requests that are worked on at once.

Each takes a worker until its end, or until its time is over where the guest
does not answer. At most a quarter of them, rounded up, work for the same
guest, at the same time: who needs an order waits for the end of one request
before the next is sent. Raise it where many guests are operated on at the same
time.

Restart nova-qga-agent after a change.

Related options:

* ``[qga_agent]operation_timeout``: how long one can be held.
""",
    ),
]


def register_opts(conf: cfg.ConfigOpts) -> None:
    conf.register_opt(HOST)
    conf.register_group(GROUP)
    conf.register_opts(OPTS, group=GROUP)
