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

"""The outcome of an operation as a notification.

It says what was asked and how it ended: never arguments, never results.
"""

from collections.abc import Mapping
from typing import Any

from nova_qga.journal import outbox
from nova_qga.journal import requests

#: Of an outcome, what a notification tells.
_TOLD = (
    'request_id',
    'operation',
    'host',
    'state',
    'channel',
    'error',
)


def event(
    outcome: Mapping[str, Any],
    owner: requests.Owner,
    requester: requests.Requester,
) -> outbox.Event:
    """Return the notification that says how a request ended.

    :param outcome: as :mod:`nova_qga.rpc.outcome` makes it
    """
    succeeded = outcome['state'] == 'succeeded'
    payload = {key: outcome[key] for key in _TOLD}
    payload |= {
        'instance_id': outcome['instance_uuid'],
        'display_name': owner.name,
        'tenant_id': owner.project_id,
        'user_id': owner.user_id,
        'requested_by': requester._asdict(),
    }
    return outbox.Event(
        'info' if succeeded else 'error',
        f'instance.guest.{outcome["operation"]}.'
        + ('end' if succeeded else 'error'),
        payload,
    )
