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

"""What can be asked of a host about its guests, without changing any.

Outcomes as those of operations have; nothing is journaled or notified.
"""

import base64
from collections.abc import Callable, Mapping
import datetime
import math
import time
from typing import Any

from oslo_log import log as logging

from nova_qga import errors
from nova_qga.guest import description
from nova_qga.journal import key_pairs
from nova_qga.rpc import coverage
from nova_qga.rpc import fault
from nova_qga.rpc import host as rpc_host
from nova_qga.rpc import ledger as rpc_ledger
from nova_qga.rpc import listed
from nova_qga.rpc import looks
from nova_qga.rpc import measured
from nova_qga.rpc import outcome
from nova_qga.rpc import policy as rpc_policy
from nova_qga.rpc import request
from nova_qga.rpc import sealing
from nova_qga.rpc import usage as rpc_usage
from nova_qga.rpc import user as rpc_user
from nova_qga.rpc import validation

LOG = logging.getLogger(__name__)

#: Seconds for a guest's sample.
SAMPLE_TIMEOUT = 15.0
#: Seconds for all guests' agents, and how much of a request's time.
COVERAGE_TIMEOUT = 20.0
COVERAGE_SHARE = 0.8

#: Here the caller need not name the request: it is not run only once.
_COMMON: Mapping[str, tuple[validation.Check, Any]] = {
    'request_id': (validation.optional(validation.request_id), None),
    'expires_at': (validation.optional(validation.moment), None),
}
_INSTANCE = (validation.uuid, validation.REQUIRED)


class Views:
    """Answers for one host.

    :param samples: who samples guests
    :param host_name: name of this host
    :param direct_channel: port name of the direct channel
    :param channels: which guests get channels here
    :param policy: who may ask
    :param needs: what the operations here need of a guest's agent
    :param ledger: the requests that are known
    :param keys: what secrets are sealed to
    :param usage: who follows what guests use
    """

    def __init__(
        self,
        host: rpc_host.Host,
        samples: rpc_host.Samples,
        host_name: str,
        direct_channel: str,
        channels: coverage.Policy,
        policy: rpc_policy.Policy,
        needs: coverage.Needs,
        ledger: rpc_ledger.Ledger,
        keys: key_pairs.KeyPairs,
        usage: rpc_host.Usage,
    ) -> None:
        self._host = host
        self._ledger = ledger
        self._samples = samples
        self._looks = looks.Looks()
        self._host_name = host_name
        self._policy = policy
        self._keys = keys
        self._usage = usage
        self._kinds = {
            description.STANDARD_CHANNEL: 'standard',
        }
        if direct_channel:
            self._kinds[direct_channel] = 'direct'
        self._channels = channels
        self._needs = needs

    def list_guests(
        self, user: rpc_user.User, given: Mapping[str, Any]
    ) -> outcome.Outcome:
        """Return all guests of the host."""
        return self._answer('list_guests', user, given, {}, self._list)

    def get_coverage(
        self, user: rpc_user.User, given: Mapping[str, Any]
    ) -> outcome.Outcome:
        """Return of each guest whether its agent can be used, and why not."""
        return self._answer('get_coverage', user, given, {}, self._cover)

    def get_public_key(
        self, user: rpc_user.User, given: Mapping[str, Any]
    ) -> outcome.Outcome:
        """Return the key that secrets for this host are sealed to."""
        return self._answer('get_public_key', user, given, {}, self._key)

    def get_metrics(
        self, user: rpc_user.User, given: Mapping[str, Any]
    ) -> outcome.Outcome:
        """Return the samples of one guest, taken now."""
        wanted = {'instance_uuid': _INSTANCE}
        return self._answer('get_metrics', user, given, wanted, self._measure)

    def get_usage(
        self, user: rpc_user.User, given: Mapping[str, Any]
    ) -> outcome.Outcome:
        """Return what each guest of the host uses."""
        wanted = {
            'sort': (validation.one_of(*rpc_usage.SORTS), rpc_usage.NAME),
            'limit': (validation.integer(1, rpc_usage.MOST), rpc_usage.MOST),
            'project_id': (validation.optional(validation.text(64)), None),
        }
        return self._answer('get_usage', user, given, wanted, self._use)

    def get_operation(
        self, user: rpc_user.User, given: Mapping[str, Any]
    ) -> outcome.Outcome:
        """Return how the request of this id stands, or ended."""
        wanted = {'request_id': (validation.request_id, validation.REQUIRED)}
        return self._answer(
            'get_operation', user, given, wanted, self._recorded
        )

    def _answer(
        self,
        name: str,
        user: rpc_user.User,
        given: Mapping[str, Any],
        wanted: Mapping[str, tuple[validation.Check, Any]],
        work: Callable[[dict[str, Any]], dict[str, Any]],
    ) -> outcome.Outcome:
        state, result, error = outcome.SUCCEEDED, None, None
        try:
            checked = validation.arguments(given, {**_COMMON, **wanted})
            self._policy.check(name, user, self._owner(name, checked))
            if _left(checked['expires_at']) <= 0:
                state, error = outcome.EXPIRED, outcome.expired()
            else:
                result = work(checked)
        except errors.QgaError as failure:
            state = outcome.state_after(failure)
            error = outcome.describe(failure)
        except Exception as failure:
            unforeseen = fault.log(name, failure)
            state, error = outcome.FAILED, outcome.describe(unforeseen)
        request_id, instance_uuid = request.identity(given)
        _log(name, instance_uuid, user, state)
        return outcome.Outcome(
            request_id,
            name,
            instance_uuid,
            self._host_name,
            state,
            None,
            result,
            error,
        )

    def _owner(self, name: str, checked: Mapping[str, Any]) -> str:
        """Return the project whose guest is asked about, if it is one's."""
        uuid = checked.get('instance_uuid')
        if name == 'get_operation':
            known = self._ledger.find(checked['request_id'])
            return '' if known is None else known.owner.project_id
        if uuid is None:
            return checked.get('project_id') or ''
        try:
            described = self._host.directory.get(uuid).description
        except errors.GuestNotFound:
            return ''
        return described.project_id

    def _list(self, _: Mapping[str, Any]) -> dict[str, Any]:
        guests = [listed.of(each, self._kinds) for each in self._host.guests()]
        return {'guests': sorted(guests, key=lambda each: each['domain'])}

    def _cover(self, checked: Mapping[str, Any]) -> dict[str, Any]:
        left = _left(checked['expires_at']) * COVERAGE_SHARE
        with self._looks.one():
            found = self._host.survey(min(COVERAGE_TIMEOUT, left))
        guests = [
            coverage.report(each, self._kinds, self._channels, self._needs)
            for each in found
        ]
        return {'guests': sorted(guests, key=lambda each: each['domain'])}

    def _recorded(self, checked: Mapping[str, Any]) -> dict[str, Any]:
        known = self._ledger.find(checked['request_id'])
        if known is None:
            raise errors.RequestNotFound(
                f'{self._host_name} knows no request of this id: it has not '
                'come here, or ended long ago'
            )
        return {
            'operation': known.operation,
            'instance_uuid': known.instance_uuid or None,
            'state': known.state,
            'channel': known.channel,
            'error': known.error and dict(known.error),
            'counts': dict(known.counts or {}),
            'requested_by': known.requester._asdict(),
            'began': measured.moment(known.began),
            'ended': known.ended and measured.moment(known.ended),
        }

    def _key(self, _: Mapping[str, Any]) -> dict[str, Any]:
        pair = self._keys.current()
        return {
            'key_id': pair.key_id,
            'public_key': base64.b64encode(pair.public_key).decode(),
            'algorithm': sealing.ALGORITHM,
        }

    def _measure(self, checked: Mapping[str, Any]) -> dict[str, Any]:
        left = _left(checked['expires_at'])
        with self._looks.one():
            samples = self._samples.sample_now(
                checked['instance_uuid'], min(SAMPLE_TIMEOUT, left)
            )
        return measured.of(samples)

    def _use(self, checked: Mapping[str, Any]) -> dict[str, Any]:
        # What the direct channels tell is known without libvirtd too.
        guests = self._host.directory.guests() or self._host.guests()
        project = checked['project_id']
        if project is not None:
            guests = [g for g in guests if g.description.project_id == project]
        left = _left(checked['expires_at'])
        with self._looks.one():
            known = self._usage.of(
                [each.uuid for each in guests], min(SAMPLE_TIMEOUT, left)
            )
            return rpc_usage.answer(
                guests, known, checked['sort'], checked['limit'], time.time()
            )


def _log(
    name: str, instance_uuid: str | None, user: rpc_user.User, state: str
) -> None:
    """Say who has looked at what."""
    LOG.info(
        '%(name)s%(guest)s of %(user)s, %(project)s: %(state)s',
        {
            'name': name,
            'guest': f', guest {instance_uuid}' if instance_uuid else '',
            'user': user.user_id or 'nobody',
            'project': user.project_id or 'no project',
            'state': state,
        },
    )


def _left(expires_at: datetime.datetime | None) -> float:
    """Return the seconds until a request expires."""
    if expires_at is None:
        return math.inf
    now = datetime.datetime.now(datetime.UTC)
    return (expires_at - now).total_seconds()
