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

"""The ``[qga]`` options: which channels a guest gets, and where.

They stand in nova.conf, because nova-compute (with the extension) and
nova-qga-agent must read the same values.
"""

import re

from oslo_config import cfg
from oslo_config import types

_MAX_NAME = 60

# No leading dot or dash: the guest makes a file of this name in /dev.
_PORT_NAME = re.compile(r'[A-Za-z0-9][A-Za-z0-9._-]*\Z')
_TAKEN = ('org.qemu.guest_agent.0',)
_TAKEN_PREFIXES = ('com.redhat.spice.', 'org.libvirt.', 'org.spice-space.')


class PortName(types.String):
    """A virtio port name that nobody else uses, or an empty string."""

    def __init__(self) -> None:
        super().__init__(max_length=_MAX_NAME, type_name='virtio port name')

    def __call__(self, value: object) -> str:
        name = str(super().__call__(value))
        if name and not _PORT_NAME.match(name):
            raise ValueError(
                f'{name!r} is not a virtio port name: use letters, digits, '
                f'dots, dashes and underscores, beginning with a letter or '
                f'a digit'
            )
        if name in _TAKEN or name.startswith(_TAKEN_PREFIXES):
            raise ValueError(
                f'{name!r} is a port that Nova or libvirt uses itself: '
                f'choose another name, or leave it empty for no direct '
                f'channel'
            )
        return name


class Directory(types.String):
    """An absolute path that can stand in a domain's XML as it is."""

    def __init__(self) -> None:
        super().__init__(type_name='absolute path')

    def __call__(self, value: object) -> str:
        path = str(super().__call__(value))
        if not path.startswith('/') or not path.isprintable():
            raise ValueError(
                f'{path!r} is not an absolute path of printable characters'
            )
        return path


GROUP = cfg.OptGroup(
    'qga',
    title='Guest agent channels',
    help="""
Which guest-agent channels the guests of this host get.

The Nova extension reads this group when nova-compute starts: restart
nova-compute after a change. A wrong value stops neither nova-compute nor a
guest: the extension is then not active, and nova-compute's log says why.
""",
)

OPTS = [
    cfg.BoolOpt(
        'enabled',
        default=True,
        help="""
Whether the extension acts in this host's nova-compute.

Set it to false to have Nova as it is without nova-qga, for example while you
look for the cause of a fault: the extension then changes nothing, and Nova's
own rule decides which guests get the standard channel. Guests that run keep
the channels they have until Nova builds them anew.

To give no guest a channel at all, set ``[qga]channel_policy`` to ``none``
instead.

Related options:

* ``[qga]channel_policy``: which guests get the channels.
""",
    ),
    cfg.StrOpt(
        'channel_policy',
        default='all',
        choices=[
            ('all', 'Every QEMU and KVM guest that does not say no.'),
            (
                'image',
                "A guest that asks for it. For images this is Nova's own "
                'rule.',
            ),
            ('none', 'No guest, also if it asks for it.'),
        ],
        help="""
Which guests of this host get the guest-agent channels.

A guest says no by its image's property ``hw_qemu_guest_agent=no`` or its
flavor's extra spec ``qga:channel=no``, and asks for the channels by a ``yes``
in either. A no wins over a yes. Nova's changePassword and quiesced snapshots
follow the same rule.

Change it where only some images have a guest agent that may be used, or where
none may be. A guest that runs keeps the channels it has until Nova builds it
anew: at a hard reboot, a resize or a cold migration. It should be the same on
all hosts, because a guest that moves gets the channels of the host on which it
is built anew.

Related options:

* ``[qga]enabled``: leaves everything to Nova.
* ``[qga]direct_channel``: the second of the channels.
""",
    ),
    cfg.Opt(
        'direct_channel',
        type=PortName(),
        default='org.qemu.guest_agent.1',
        help="""
The virtio port name of the direct channel; empty for none.

libvirtd holds the standard channel and allows one command at a time on it,
for all its users. On the direct channel nova-qga-agent talks to the guest
alone, which costs the host far less and is not held up by other guests. A
second guest agent must listen on it in the guest; where none does, the
standard channel serves.

Change it where your images already use this port for something else. Leave
it empty where no image of yours runs a second guest agent.

Restart nova-compute and nova-qga-agent after a change. A guest that runs
keeps the channels it has until Nova builds it anew: at a hard reboot, a
resize or a cold migration.

Possible values:

* An empty string: guests get the standard channel only.
* Up to 60 letters, digits, dots, dashes and underscores, beginning with a
  letter or a digit. The names ``org.qemu.guest_agent.0``,
  ``com.redhat.spice.*``, ``org.spice-space.*`` and ``org.libvirt.*`` are
  taken and are refused.

Related options:

* ``[qga]channel_policy``: which guests get it.
* ``[qga]direct_channel_dir``: where its sockets are.
""",
    ),
    cfg.Opt(
        'direct_channel_dir',
        type=Directory(),
        default='/var/lib/libvirt/qemu',
        help="""
The folder on this host in which QEMU makes the direct channels' sockets.

A guest's socket is ``<direct_channel>.<instance name>.sock`` in it. The
whole path may have 107 bytes; a guest whose path would be longer gets the
standard channel only, and nova-compute's log says so.

Change it where another program must reach the sockets and cannot be let into
libvirt's folder. libvirt does not create it. It must exist, QEMU must be able
to write to it, and it must be the same on all hosts that guests migrate
between, those without the extension too: a live migration takes the path with
it, and fails where the folder is missing. Where nova-compute finds it missing
at its start, the extension is not active; where it goes missing later, guests
get the standard channel only.

Possible values:

* An absolute path of printable characters.

Related options:

* ``[qga]direct_channel``: the sockets' names; when it is empty, this option
  has no effect.
""",
    ),
]


def register_opts(conf: cfg.ConfigOpts) -> None:
    conf.register_group(GROUP)
    conf.register_opts(OPTS, group=GROUP)
