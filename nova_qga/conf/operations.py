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

"""The ``[qga_operations]`` options: what requests may ask of guests."""

from oslo_config import cfg
from oslo_config import types

GROUP = cfg.OptGroup(
    'qga_operations',
    title='Operations in guests',
    help="""
What a request may do in the guests of this host.
""",
)

OPTS = [
    cfg.ListOpt(
        'allowed_commands',
        default=[],
        item_type=types.String(
            regex=r'^guest-[a-z0-9-]{1,64}$', max_length=70
        ),
        help="""
Commands of guest agents that ``run_command`` may run on this host.

Nothing is known of what such a command does: name those whose arguments may
be anything, in any guest. The policy must allow ``run_command`` too, which it
does for nobody by default. Commands for which there is an operation of its
own, such as ``guest-exec``, are refused though they be named.

Example: ``guest-network-get-route,guest-get-statvfs``.

Restart nova-qga-agent after a change.

Related options:

* ``[qga_operations]policy_file``: the rule ``qga:run_command``.
""",
    ),
    cfg.IntOpt(
        'max_file_size',
        default=64 * 1024 * 1024,
        min=1,
        max=1 << 40,
        help="""
Bytes of the largest file that is written to or read from a guest.

A request beyond it is refused before anything is done in the guest. Content
travels over the message broker and through the guest's serial port, in parts
of up to 1 MiB: files of gigabytes are better fetched by the guest itself.
Lower it to protect the broker.

Restart nova-qga-agent after a change.
""",
    ),
    cfg.IntOpt(
        'max_waiting',
        default=128,
        min=0,
        max=10_000,
        help="""
The number of requests that are held on this host until a guest's agent is
there.

A request with ``wait_for_agent`` is held while its guest is off, paused or
without an agent, until it expires. What is held stays in memory with its
arguments, up to 1 MiB each, and ends as ``failed`` where nova-qga-agent is
stopped. Beyond this number requests fail at once. 0 holds none. Requests that
only look, which a guest's owner may send too, are held while less than half of
this number is.

Restart nova-qga-agent after a change.

Related options:

* ``[qga_operations]max_waiting_per_guest``: of these, how many for one guest.
""",
    ),
    cfg.IntOpt(
        'max_waiting_per_guest',
        default=8,
        min=1,
        max=10_000,
        help="""
The number of requests that are held for one guest until its agent is there.

Half of it for those that only look, rounded up.

Raise it where a guest gets many keys and files before its first boot has
ended.

Restart nova-qga-agent after a change.

Related options:

* ``[qga_operations]max_waiting``: for all guests together.
""",
    ),
    cfg.IntOpt(
        'old_key_lifetime',
        default=86400,
        min=0,
        help="""
Seconds for which a key that was replaced still opens secrets sealed to it.

``nova-qga-agent --rotate-key`` makes a new key and keeps the one before for so
long, so that no request fails that was sealed a moment ago; then it is
deleted. Lower it, down to 0, where a key may be known to others; callers that
use ``nova-qga`` or its API fetch the new key by themselves.

It is read when a key is rotated, and holds for the key that is replaced then.
""",
    ),
    cfg.StrOpt(
        'policy_file',
        default='/etc/nova-qga/policy.yaml',
        help="""
The file of the rules that say who may run which operation in which guest.

It need not exist: by default administrators may run everything but
``execute`` and ``run_command``, which nobody may, and the project that owns a
guest may run what only tells of it. Write a rule of the same name into the
file to change that, for example ``"qga:execute": "rule:qga:admin"``. A file
that cannot be read allows nothing. A change takes effect at the next request.

It is not that of ``[oslo_policy]policy_file``, which is Nova's.
""",
    ),
]


def register_opts(conf: cfg.ConfigOpts) -> None:
    conf.register_group(GROUP)
    conf.register_opts(OPTS, group=GROUP)
