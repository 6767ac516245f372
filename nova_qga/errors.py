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

"""Everything nova-qga raises on purpose.

The branches answer one question for the caller: what do I do now?

QgaError
 +-- ConfigurationError      fix the configuration, start again
 +-- InvalidRequest          the caller's arguments are wrong: correct them
 |    +-- UnknownKey         fetch the host's public key again, seal anew
 +-- Denied                  the policy forbids it: ask who may change it
 +-- ServiceUnavailable      libvirtd or the broker is away: try later
 +-- RequestNotFound         no such request was seen here: ask another host
 +-- GuestNotFound           no such guest on this host: ask another host
 +-- GuestUnavailable        nothing was run in the guest: try later
 +-- ChannelError            the host's side failed: try on the next tick
 |    +-- ChannelBusy
 |    +-- ChannelClosed
 |    +-- ChannelTimeout
 +-- ProtocolError           the guest broke the rules: close and resync
 |    +-- MalformedMessage
 |    +-- MessageTooLarge
 |    +-- InvalidReply
 +-- CommandError            the guest said no: report it, do not retry
 |    +-- CommandUnsupported
 +-- OperationFailed         ours, after a check: report it, do not retry
 +-- OutcomeUnknown          it may have happened: look before you retry

Every class has a ``code``, a stable word for scripts, RPC and notifications.
Messages never hold a secret, and hold guest text only through
:func:`nova_qga.text.printable`.
"""

from typing import ClassVar

from nova_qga import text


class QgaError(Exception):
    """Base of all that is raised on purpose."""

    code: ClassVar[str] = 'internal'


class ConfigurationError(QgaError):
    """An option or a plugin does not fit; the message names it."""

    code = 'configuration'


class InvalidRequest(QgaError):
    """An argument is wrong; nothing was done."""

    code = 'invalid_request'


class UnknownKey(InvalidRequest):
    """A secret is sealed to a key that the host has not, or no more."""

    code = 'unknown_key'


class Denied(QgaError):
    """The policy does not let this user do it; nothing was done."""

    code = 'denied'


class ServiceUnavailable(QgaError):
    """libvirtd, the broker or the agent of a host does not answer."""

    code = 'service_unavailable'


class RequestNotFound(QgaError):
    """This host has seen no such request, or has forgotten it."""

    code = 'request_not_found'


class GuestNotFound(QgaError):
    """This host has no such guest."""

    code = 'guest_not_found'


class GuestUnavailable(QgaError):
    """The guest cannot be asked now; nothing was run in it.

    :ivar reason: one word for scripts: ``shutoff``, ``paused``,
        ``no_channel``, ``no_agent``, ``backoff`` ...
    """

    code = 'guest_unavailable'

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


class ChannelError(QgaError):
    """The host's side of the channel failed before the agent answered."""

    code = 'channel'


class ChannelBusy(ChannelError):
    """Another client holds the channel."""

    code = 'channel_busy'


class ChannelClosed(ChannelError):
    """QEMU closed the channel: the guest is gone from this host."""

    code = 'channel_closed'


class ChannelTimeout(ChannelError):
    """The agent did not answer within the deadline."""

    code = 'channel_timeout'


class ProtocolError(QgaError):
    """The guest broke the rules of the wire; the connection is unusable."""

    code = 'protocol'


class MalformedMessage(ProtocolError):
    """A line is not one JSON object of the guest agent's."""

    code = 'malformed_message'


class MessageTooLarge(ProtocolError):
    """A message did not end within the allowed size.

    :ivar size: bytes seen so far
    :ivar limit: bytes allowed
    """

    code = 'message_too_large'

    def __init__(self, size: int, limit: int) -> None:
        super().__init__(f'{size} bytes is over the {limit} allowed')
        self.size = size
        self.limit = limit


class InvalidReply(ProtocolError):
    """A reply's value does not have the form that its command promises."""

    code = 'invalid_reply'


class CommandError(QgaError):
    """The guest's agent answered with an error.

    :ivar error_class: QAPI class, ``GenericError`` most of the time
    :ivar description: the agent's own words, escaped and cut
    :ivar hint: ours, on what to do; set by who knows what was asked
    """

    code = 'command_failed'

    def __init__(self, error_class: str, description: str) -> None:
        self.error_class = text.printable(error_class)
        self.description = text.printable(description)
        self.hint = ''
        super().__init__(self.description)

    def __str__(self) -> str:
        message = f'the guest agent says: {self.description}'
        return f'{message} ({self.hint})' if self.hint else message


class CommandUnsupported(CommandError):
    """The agent lacks the command, or its configuration blocks it."""

    code = 'command_unsupported'


class OperationFailed(QgaError):
    """A step failed; the message says which, and how far it came.

    :ivar done: bytes (or items) that were done before it failed
    :ivar reason: one word for scripts, where there is one
    """

    code = 'operation_failed'

    def __init__(
        self, message: str, done: int = 0, reason: str | None = None
    ) -> None:
        super().__init__(message)
        self.done = done
        self.reason = reason


class OutcomeUnknown(QgaError):
    """A command with an effect was sent and its answer never came.

    :ivar pid: of the process in the guest that it was the beginning of
    """

    code = 'outcome_unknown'

    def __init__(self, message: str, pid: int | None = None) -> None:
        super().__init__(message)
        self.pid = pid
