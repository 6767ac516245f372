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

"""Send a request until its end is known.

It is sent again with the same id while no answer comes: it runs at most once
where it changes a guest, and the answer to any of them is its outcome.
"""

from collections.abc import Mapping
import datetime
import time
from typing import Any
import uuid

from nova_qga import errors
from nova_qga.rpc import caller as rpc_caller

Outcome = dict[str, Any]

#: Seconds that a request may take, unless its caller says otherwise.
TIMEOUT = 60.0
#: Seconds to wait at least until the request is sent again.
PATIENCE = 15.0
#: The agent knows by then how it ended, and answers at once.
LAST_CALL = 10.0
#: Seconds between two looks after a request that is held: first, and at most.
FIRST_PAUSE = 0.25
LONGEST_PAUSE = 4.0


class Client:
    """Requests to hosts.

    :param caller: RpcCaller, or LocalCaller on a compute host
    :param timeout: seconds that a request may take
    :param last_call: seconds after its expiry in which is still asked how a
        request ended
    :param wait_for_agent: have each request held while no agent answers in
        its guest, until it expires
    """

    def __init__(
        self,
        caller: rpc_caller.Caller,
        timeout: float = TIMEOUT,
        last_call: float = LAST_CALL,
        wait_for_agent: bool = False,
    ) -> None:
        self._caller = caller
        self._wait_for_agent = wait_for_agent
        self._timeout = timeout
        self._last_call = last_call

    def ask(
        self,
        host: str,
        method: str,
        instance_uuid: str | None = None,
        **arguments: Any,
    ) -> Outcome:
        """Call a method that changes nothing.

        :raises ServiceUnavailable: no answer came
        """
        request = self.request(instance_uuid) | arguments
        # Of one that is held it is told only afterwards that it expired.
        held = 'wait_for_agent' in request
        last_call = self._last_call if held else rpc_caller.GRACE
        try:
            return self._send(host, method, request, last_call)
        except _Unanswered as error:
            raise errors.ServiceUnavailable(str(error)) from None

    def change(
        self, host: str, method: str, instance_uuid: str, **arguments: Any
    ) -> Outcome:
        """Call a method that changes a guest, until its outcome is known.

        :raises ServiceUnavailable: it was not sent; nothing was done
        :raises OutcomeUnknown: it may have been done
        """
        request = self.request(instance_uuid) | arguments
        try:
            return self._send(host, method, request, self._last_call)
        except _Unanswered as error:
            raise errors.OutcomeUnknown(
                f'{error}. Request {request["request_id"]} may have been '
                'done: "nova-qga operation show" tells whether it was; else '
                'look in the guest before you repeat it'
            ) from None

    def _send(
        self,
        host: str,
        method: str,
        request: Mapping[str, Any],
        last_call: float,
    ) -> Outcome:
        """Send a request, again and again, until it has ended.

        :raises ServiceUnavailable: it was never sent
        """
        end = time.monotonic() + self._timeout + last_call
        patience = max(PATIENCE, self._timeout / 2)
        pause = FIRST_PAUSE
        unanswered: errors.QgaError | None = None
        while (left := end - time.monotonic()) > 0:
            try:
                answer = self._caller.call(
                    host, method, request, min(left, patience)
                )
            except rpc_caller.NoAnswer as error:
                unanswered = error
                continue
            except errors.ServiceUnavailable:
                if unanswered is None:
                    raise
                # The broker went away in between; it may come back.
                answer = {}
            if answer.get('state') == 'accepted':
                unanswered = _Unanswered(
                    f'{host} still holds the request, or works on it'
                )
            elif answer:
                return answer
            time.sleep(min(pause, max(0.0, end - time.monotonic())))
            pause = min(pause * 2, LONGEST_PAUSE)
        raise _Unanswered(str(unanswered))

    def request(self, instance_uuid: str | None) -> dict[str, Any]:
        """Return what every request has, with an id and an expiry of its own.

        What is given as an argument too goes before.
        """
        request = _request(self._timeout)
        if instance_uuid is not None:
            request['instance_uuid'] = instance_uuid
            if self._wait_for_agent:
                request['wait_for_agent'] = True
        return request


class _Unanswered(errors.QgaError):
    """No end of a request was told in time."""


def _request(timeout: float) -> dict[str, Any]:
    expires = datetime.datetime.now(datetime.UTC) + datetime.timedelta(
        seconds=timeout
    )
    return {
        'request_id': str(uuid.uuid4()),
        'expires_at': expires.isoformat(timespec='milliseconds'),
    }
