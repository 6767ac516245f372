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

"""How a request ended: the one shape that every caller gets.

No exception crosses the broker: what went wrong is in the outcome. A result
may hold a file's content or keys, and so is never printed.
"""

import dataclasses
from typing import Any

from nova_qga import errors
from nova_qga.journal import requests

SUCCEEDED = 'succeeded'
FAILED = 'failed'
UNKNOWN = 'unknown'
EXPIRED = 'expired'
DENIED = 'denied'

#: It has not ended.
ACCEPTED = 'accepted'

#: Every request ends in one of them.
STATES = (SUCCEEDED, FAILED, UNKNOWN, EXPIRED, DENIED)


@dataclasses.dataclass(frozen=True, slots=True)
class Outcome:
    """How one request ended.

    :ivar request_id: '' where the request has none that is valid
    :ivar host: that answers
    :ivar state: one of :data:`STATES`, or ``accepted``
    :ivar channel: ``direct`` or ``standard``; None where none was used
    :ivar error: ``code``, ``reason``, ``message``, and ``done`` where
        something was, ``pid`` where a program runs on; None where it
        succeeded
    """

    request_id: str
    operation: str
    instance_uuid: str | None
    host: str
    state: str
    channel: str | None = None
    result: dict[str, Any] | None = dataclasses.field(default=None, repr=False)
    error: dict[str, Any] | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return what is sent."""
        return {
            field.name: getattr(self, field.name)
            for field in dataclasses.fields(self)
        }


def recorded(record: requests.Record, host: str) -> Outcome:
    """Return the outcome that the journal holds."""
    return Outcome(
        record.request_id,
        record.operation,
        record.instance_uuid or None,
        host,
        record.state,
        record.channel,
        dict(record.counts or {}) if record.state == SUCCEEDED else None,
        None if record.error is None else dict(record.error),
    )


def state_after(error: errors.QgaError) -> str:
    """Return the state of a request that ended with an error."""
    if isinstance(error, errors.Denied):
        return DENIED
    return UNKNOWN if isinstance(error, errors.OutcomeUnknown) else FAILED


def describe(error: errors.QgaError) -> dict[str, Any]:
    """Return an error for an outcome."""
    described: dict[str, Any] = {
        'code': error.code,
        'reason': None,
        'message': str(error),
    }
    if isinstance(error, errors.GuestUnavailable):
        described['reason'] = error.reason
    if isinstance(error, errors.OperationFailed):
        described['reason'] = error.reason
        described['done'] = error.done
    if isinstance(error, errors.OutcomeUnknown) and error.pid is not None:
        described['pid'] = error.pid
    return described


def expired(waited_for: str = '') -> dict[str, Any]:
    """Return the error of a request that came too late.

    :param waited_for: why it was held
    """
    message = (
        'the request had expired when its turn came, and was not run; allow '
        'it more time, and check that the clocks of this host and of the '
        'caller agree'
    )
    if waited_for:
        message = (
            'the request expired while it was held, and was not run: '
            f'{waited_for}'
        )
    return {'code': EXPIRED, 'reason': None, 'message': message}
