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

"""One thing to ask a guest over the direct channel, and whom to tell."""

from collections.abc import Callable
import dataclasses
from typing import Any

from oslo_log import log as logging

from nova_qga import errors
from nova_qga.protocol import command

LOG = logging.getLogger(__name__)

#: Called once, on the channels' loop: the replies in order (a CommandError
#: stands where the agent refused), or the error that ended it.
Done = Callable[[list[Any] | None, errors.QgaError | None], None]


@dataclasses.dataclass(slots=True)
class Request:
    """One exchange with a guest.

    Channels call :meth:`tell`, once for each request.

    :ivar batch: read-only commands, or one with an effect
    :ivar deadline: monotonic clock; total, from queue to last byte
    :ivar done: told the outcome once
    :ivar urgent: goes to the head of the guest's queue, and is tried even
        while the guest is left alone after failures
    """

    batch: command.Batch
    deadline: float
    done: Done
    urgent: bool = False

    def tell(
        self, replies: list[Any] | None, error: errors.QgaError | None
    ) -> None:
        """Tell the outcome; a fault of who is told costs nobody else."""
        try:
            self.done(replies, error)
        except Exception:
            LOG.exception('nova-qga failed on what a guest answered')


def no_time() -> errors.ChannelTimeout:
    """Return what is told where no time was left to send a request."""
    return errors.ChannelTimeout(
        'no time was left: the guest is busy with other commands, and this '
        'one was not sent'
    )


def unknown(error: errors.QgaError) -> errors.OutcomeUnknown:
    """Return what is told where an effect was sent and not answered."""
    return errors.OutcomeUnknown(
        f'the command was sent and no answer came ({error}); it may have '
        'been run, or may still be: look in the guest before you repeat it'
    )
