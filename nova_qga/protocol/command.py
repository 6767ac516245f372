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

"""Guest commands: what to send, and how to read what comes back."""

from collections.abc import Callable, Mapping, Sequence
import dataclasses
from typing import Any, Generic, TypeVar

import orjson

ReplyT = TypeVar('ReplyT')

#: Bytes a reply may have unless its command says otherwise.
DEFAULT_MAX_REPLY = 4 * 1024 * 1024


@dataclasses.dataclass(frozen=True, slots=True)
class Command(Generic[ReplyT]):
    """One guest command, ready to encode.

    :ivar name: as in qga/qapi-schema.json, ``guest-...``
    :ivar read: checks the reply's value and gives it a type; raises
        InvalidReply
    :ivar arguments: kept out of repr(), because they may hold a password and
        every command ends up in some log line
    :ivar has_effect: it changes the guest. Such a command is never
        pipelined behind an unanswered sync, and never sent twice.
    :ivar max_reply: bytes that the reply may have
    """

    name: str
    read: Callable[[Any], ReplyT] = dataclasses.field(repr=False)
    arguments: Mapping[str, Any] = dataclasses.field(
        default_factory=dict, repr=False
    )
    has_effect: bool = True
    max_reply: int = DEFAULT_MAX_REPLY

    def encode(self, reply_id: int | None = None) -> bytes:
        """Return the request as one line.

        :param reply_id: agents from 4.0 echo it in the reply
        """
        request: dict[str, Any] = {'execute': self.name}
        if self.arguments:
            request['arguments'] = self.arguments
        if reply_id is not None:
            request['id'] = reply_id
        return orjson.dumps(request) + b'\n'


class Batch:
    """Commands for one exchange: any number of read-only ones, or one other.

    :ivar commands: in the order in which they are answered
    :ivar has_effect: it is a single command that has one
    :ivar encoded: the read-only commands as they go out. A sampler sends the
        same batch each minute; it is encoded once.
    :raises ValueError: a command with an effect is not alone
    """

    __slots__ = ('commands', 'encoded', 'has_effect')

    def __init__(self, commands: Sequence[Command[Any]]) -> None:
        self.commands = tuple(commands)
        self.has_effect = any(each.has_effect for each in commands)
        if self.has_effect and len(commands) != 1:
            raise ValueError('a command with an effect goes alone')
        self.encoded = (
            b''
            if self.has_effect
            else b''.join([each.encode() for each in commands])
        )
