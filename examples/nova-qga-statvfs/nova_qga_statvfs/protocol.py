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

"""The command guest-get-statvfs, and how its reply is read.

QEMU's own agent has none; operators patch it in. Where they gave its numbers
the type ``int`` of 64 bits, the filesystem's own number can be negative.

Source: qemu-ga-statvfs.patch; statvfs(3).
"""

from typing import Any, NamedTuple

from nova_qga import errors
from nova_qga.protocol import command
from nova_qga.protocol import reading

#: Bytes that a reply may have; eleven numbers have fewer than 512.
_MAX_REPLY = 64 * 1024
_INT64_MIN = -(1 << 63)


class Statvfs(NamedTuple):
    """A filesystem, as statvfs(3) has it.

    :ivar f_bsize: bytes of a block, as it is best transferred
    :ivar f_frsize: bytes of a block, as blocks are counted
    :ivar f_bavail: blocks that are free for other users than root
    :ivar f_favail: inodes that are
    :ivar f_fsid: number of the filesystem, any 64 bits
    """

    f_bsize: int
    f_frsize: int
    f_blocks: int
    f_bfree: int
    f_bavail: int
    f_files: int
    f_ffree: int
    f_favail: int
    f_fsid: int
    f_flag: int
    f_namemax: int


def get_statvfs(path: str) -> command.Command[Statvfs]:
    """Ask for the filesystem that a file of the guest is on."""
    return command.Command(
        'guest-get-statvfs',
        read_statvfs,
        {'path': path},
        has_effect=False,
        max_reply=_MAX_REPLY,
    )


def read_statvfs(value: Any) -> Statvfs:
    """Read the reply to guest-get-statvfs.

    What would make a filesystem larger than 64 bits tell is none.
    """
    fields = dict(reading.record(value))
    number = fields.get('f_fsid')
    if type(number) is int and _INT64_MIN <= number < 0:
        fields['f_fsid'] = number + reading.UINT64_MAX + 1
    told = Statvfs(*[reading.uint(fields, key) for key in Statvfs._fields])
    if told.f_frsize * max(told[2:5]) > reading.UINT64_MAX:
        raise errors.InvalidReply('the filesystem is larger than 64 bits tell')
    return told
