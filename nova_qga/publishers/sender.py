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

"""One thread that sends what the outbox holds, until the broker has it.

Samples do not wait behind it: they have a thread of their own.

Source: oslo_messaging/notify/messaging.py, whose driver keeps the failure of
a send to itself, and logs what it could not send.
"""

from collections.abc import Callable
import threading
import time

from oslo_log import log as logging
import oslo_messaging as messaging

from nova_qga import errors
from nova_qga.journal import outbox

LOG = logging.getLogger(__name__)

#: Notifications that are taken out of the outbox at once.
BATCH = 100
#: Seconds between two attempts while the broker is away: the first, the most.
FIRST_PAUSE = 1.0
LONGEST_PAUSE = 30.0
#: Seconds between two looks after what could not be written before.
UPKEEP = 5.0
#: Seconds between two warnings.
QUIET = 60.0

#: Sends one notification, or raises ServiceUnavailable.
Send = Callable[[outbox.Event], None]


class Notifier:
    """Sends notifications, and says when one was not taken.

    :param transport: for this notifier alone
    """

    def __init__(
        self, transport: messaging.Transport, publisher_id: str, retry: int
    ) -> None:
        self._failed = threading.local()
        send = transport._send_notification

        def watched(*args: object, **kwargs: object) -> None:
            try:
                send(*args, **kwargs)
            except Exception as error:
                # Here it ends: the driver would log the payload.
                self._failed.why = error

        transport._send_notification = watched
        self._notifier = messaging.Notifier(
            transport, publisher_id=publisher_id, retry=retry
        )

    def send(self, event: outbox.Event) -> None:
        """Send a notification.

        :raises ServiceUnavailable: the broker has not taken it
        """
        self._failed.why = None
        send = getattr(self._notifier, event.priority)
        send({}, event.event_type, event.payload)
        if self._failed.why is not None:
            raise errors.ServiceUnavailable(
                f'the message broker does not take notifications '
                f'({type(self._failed.why).__name__})'
            )


class Sender:
    """Sends the outbox in its order.

    :param upkeep: called now and then
    """

    def __init__(
        self,
        events: outbox.Outbox,
        send: Send,
        upkeep: Callable[[], None] = lambda: None,
    ) -> None:
        self._outbox = events
        self._send = send
        self._upkeep = upkeep
        self._changed = threading.Condition()
        self._news = True
        self._stopping = False
        self._pause = 0.0
        self._warned = -QUIET
        self._thread = threading.Thread(
            target=self._run, name='qga-sender', daemon=True
        )

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def wake(self) -> None:
        """Say that something was put into the outbox."""
        with self._changed:
            self._news = True
            self._changed.notify()

    def stop(self, timeout: float) -> None:
        """Send what waits, as far as time allows; the rest stays on disk.

        :param timeout: seconds
        """
        with self._changed:
            self._stopping = True
            self._changed.notify()
        self._thread.join(timeout)

    def _run(self) -> None:
        while self._wait():
            try:
                self._upkeep()
                self._send_all()
                self._pause = 0.0
            except errors.QgaError as error:
                self._warn(error)
                self._pause = min(
                    max(FIRST_PAUSE, self._pause * 2), LONGEST_PAUSE
                )
            except Exception:
                # What is sent again and again must not end the thread.
                LOG.exception('sending notifications of outcomes')
                self._pause = LONGEST_PAUSE

    def _wait(self) -> bool:
        """Wait for something to send; False when it is time to end."""
        with self._changed:
            if self._pause:
                self._changed.wait_for(lambda: self._stopping, self._pause)
            else:
                self._changed.wait_for(
                    lambda: self._news or self._stopping, UPKEEP
                )
            # A last attempt at the stop, for what came just before.
            last, self._news = self._news, False
            return not self._stopping or (last and not self._pause)

    def _send_all(self) -> None:
        while waiting := self._outbox.first(BATCH):
            sent = []
            try:
                for number, event in waiting:
                    self._send(event)
                    sent.append(number)
            finally:
                self._outbox.take_out(sent)

    def _warn(self, error: Exception) -> None:
        now = time.monotonic()
        if now - self._warned < QUIET:
            return
        self._warned = now
        LOG.warning(
            '%s; notifications of outcomes that were not sent yet wait, and '
            'are sent when it is well again',
            error,
        )
