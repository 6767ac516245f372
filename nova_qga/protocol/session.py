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

"""Talk to one guest agent: who may send what when, and whose answer is whose.

The channel outlives its users: the first bytes read may be somebody else's
answer, bytes written while no agent listens are run later, and commands are
answered strictly in order. So each exchange starts with a sync, which nothing
but its own answer completes, and a command with an effect is sent only when
that answer has come and nothing else is in the buffer.

This module opens no socket, reads no clock and retries nothing. After any
ProtocolError the session is dead: close the connection, start a new one.

Source: https://qemu.org/docs/master/interop/qemu-ga-ref.html
(guest-sync-delimited).
"""

from collections.abc import Callable, Sequence
import secrets
from typing import Any

from nova_qga import errors
from nova_qga.protocol import command
from nova_qga.protocol import decoding
from nova_qga.protocol import messages

# 0xFF never occurs in UTF-8, so it cannot be part of a JSON message. It also
# clears the agent's parser, whatever an earlier client left in it.
SENTINEL = b'\xff'
#: Lines that answer nothing, accepted in one exchange before giving up.
MAX_STRAY_LINES = 64
#: Bytes accepted before the sync is answered. An earlier client's reply may
#: be as large as guest-file-read allows, ours are smaller.
MAX_SYNC_BYTES = 8 * 1024 * 1024
#: Bytes of the longest answer to a sync that can be ours.
MAX_SYNC_LINE = 256

#: What a sync alone carries behind it.
NOTHING = command.Batch(())


def random_id() -> int:
    """Return a number that no guest can guess, positive and below 2**63."""
    return secrets.randbits(63) or 1


class Session:
    """One connection's side of the protocol, one exchange at a time.

    :param new_id: where sync ids come from
    """

    __slots__ = (
        '_buffer',
        '_new_id',
        '_pending',
        '_replies',
        '_reply_id',
        '_searched',
        '_spent',
        '_strays',
        '_sync_id',
        '_synced',
    )

    def __init__(self, new_id: Callable[[], int] = random_id) -> None:
        self._new_id = new_id
        self._buffer = bytearray()
        self._searched = 0  # bytes of the buffer known to hold no newline
        self._spent = 0  # bytes read that answer nothing
        self._strays = 0
        self._sync_id: int | None = None
        self._synced = False
        self._reply_id: int | None = None
        self._pending: list[command.Command[Any]] = []
        self._replies: list[Any] = []

    @property
    def synced(self) -> bool:
        """The last sync was answered, and all that was asked after it."""
        return self._synced and not self._pending and not self._buffer

    def sync(self, pipelined: command.Batch = NOTHING) -> bytes:
        """Start an exchange: return a sync, and read-only commands behind it.

        :raises ValueError: the batch has an effect, or an exchange is open
        """
        if pipelined.has_effect:
            raise ValueError('an effect behind an unanswered sync')
        self._start(pipelined.commands)
        self._synced = False
        self._sync_id = self._new_id()
        request = b'\xff{"execute":"guest-sync-delimited",' + (
            b'"arguments":{"id":%d}}\n' % self._sync_id
        )
        return request + pipelined.encoded

    def send(self, single: command.Command[Any]) -> bytes:
        """Start an exchange of one command, right after a sync's.

        :raises ProtocolError: bytes came that nobody asked for, so the next
            answer cannot be told from an early one
        :raises ValueError: the last exchange was not a completed sync
        """
        if self._buffer:
            raise errors.ProtocolError('the guest answers before it is asked')
        if not self._synced:
            raise ValueError('sync before a command')
        self._start((single,))
        # One sync allows one command: another needs a fresh one.
        self._synced = False
        self._reply_id = self._new_id()
        return single.encode(self._reply_id)

    def _start(self, pending: Sequence[command.Command[Any]]) -> None:
        if self._pending or self._sync_id is not None:
            raise ValueError('an exchange is open')
        self._pending = list(pending)
        self._replies = []
        self._strays = 0
        self._spent = 0
        self._reply_id = None

    def receive(self, data: bytes) -> list[Any] | None:
        """Take bytes from the guest.

        :returns: None while answers are missing; then one item for each
            command of the exchange, in order: the value of ``return``, not
            yet checked, or a CommandError that says why there is none.
        :raises ProtocolError: the guest broke the rules of the wire.
        """
        self._buffer += data
        if self._sync_id is not None and not self._find_sync(self._sync_id):
            return None
        if len(self._pending) > 1:
            self._take_batch()
        while self._pending and (line := self._next_line()) is not None:
            self._take_reply(line)
        if self._pending:
            return None
        if self._buffer:
            raise errors.ProtocolError('the guest answers unasked')
        replies, self._replies = self._replies, []
        return replies

    def _find_sync(self, wanted: int) -> bool:
        """Drop all up to the sync's answer; tell whether that has come.

        A line that does not hold our id was meant for an earlier client, or
        is the error that our own 0xFF brings. It is dropped unread: a flood
        of lines costs no more than its bytes.
        """
        digits = b'%d' % wanted
        while (found := self._buffer.find(digits)) >= 0:
            end = self._buffer.find(b'\n', found)
            if end < 0:
                break
            start = self._buffer.rfind(b'\n', 0, found) + 1
            line = bytes(self._buffer[start:end])
            self._drop(end + 1)
            if _answers_sync(line, wanted):
                self._sync_id = None
                self._synced = True
                self._spent = 0
                return True
            self._count_stray()
        # What stands before a sentinel is void, and so is what never gets
        # one. Our own answer is short, so keep no more of an open line.
        line_start = self._buffer.rfind(b'\n') + 1
        mark = self._buffer.rfind(SENTINEL, line_start)
        if mark < 0 or len(self._buffer) - mark > MAX_SYNC_LINE:
            mark = len(self._buffer)
        self._drop(mark)
        return False

    def _drop(self, size: int) -> None:
        self._spent += size
        if self._spent > MAX_SYNC_BYTES:
            raise errors.MessageTooLarge(self._spent, MAX_SYNC_BYTES)
        del self._buffer[:size]

    def _take_batch(self) -> None:
        """Take all replies at once where they have all come, plain and whole.

        Anything else is left in the buffer, to be looked at line by line:
        this is a shortcut for the thousands of guests that behave.
        """
        if self._spent or not self._buffer.endswith(b'\n'):
            return  # each byte is looked at here once
        lines = bytes(self._buffer).split(b'\n')
        if len(lines) != len(self._pending) + 1 or lines.pop():
            return
        for line, asked in zip(lines, self._pending, strict=True):
            if len(line) > asked.max_reply:
                return
        decoded = decoding.decode_lines(lines)
        if decoded is None:
            return
        replies = []
        for message in decoded:
            if len(message) == 1 and 'return' in message:
                replies.append(message['return'])
            elif message.keys() == {'error'}:
                replies.append(messages.reply(message))
            else:
                return
        self._replies += replies
        self._pending = []
        self._buffer.clear()
        self._searched = 0

    def _next_line(self) -> bytes | None:
        end = self._buffer.find(b'\n', self._searched)
        size = len(self._buffer) if end < 0 else end
        # Lines that answer nothing come out of the same allowance.
        limit = self._pending[0].max_reply
        if self._spent + size > limit:
            raise errors.MessageTooLarge(self._spent + size, limit)
        if end < 0:
            self._searched = size
            return None
        line = bytes(self._buffer[:end])
        del self._buffer[: end + 1]
        self._searched = 0
        self._spent += size + 1
        return line

    def _take_reply(self, line: bytes) -> None:
        if SENTINEL in line:
            raise errors.ProtocolError('0xFF within a reply')
        line = line.strip(b' \t\r')
        if not line:
            self._count_stray()
            return
        message = decoding.decode(line)
        reply = messages.reply(message)
        if reply is messages.STRAY or not self._is_ours(message):
            self._count_stray()
            return
        del self._pending[0]
        self._replies.append(reply)
        self._spent = 0

    def _is_ours(self, message: dict[str, Any]) -> bool:
        """Tell our answer by its id, where it has one.

        Old agents echo none, none does on a parse error, and what goes out
        behind a sync has none.
        """
        if 'id' not in message:
            return True
        echoed = message['id']
        # A type check, for True == 1 and 5.0 == 5.
        return type(echoed) is int and echoed == self._reply_id

    def _count_stray(self) -> None:
        self._strays += 1
        if self._strays > MAX_STRAY_LINES:
            raise errors.ProtocolError('too many lines that answer nothing')


def _answers_sync(line: bytes, wanted: int) -> bool:
    """Tell whether ``line`` is 0xFF and the answer to sync ``wanted``.

    :raises MalformedMessage: it is our own request, sent back
    """
    _, mark, message = line.rpartition(SENTINEL)
    if mark and message == b'{"return": %d}' % wanted:
        return True  # as every real agent writes it
    if not mark or len(message) >= MAX_SYNC_LINE:
        return False
    try:
        fields = decoding.decode(message)
    except errors.MalformedMessage:
        return False
    if 'execute' in fields and b'%d' % wanted in message:
        raise errors.MalformedMessage(messages.ECHO)
    value = fields.get('return')
    # A type check, for True == 1 and 5.0 == 5.
    return type(value) is int and value == wanted and 'error' not in fields
