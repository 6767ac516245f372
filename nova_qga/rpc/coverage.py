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

"""Say of each guest whether its agent can be used, and if not, why. Pure.

A guest is dark where nothing can be asked of its agent, and limited where its
agent answers and cannot do everything. The reason is one word for scripts,
the message says what to do; doc/source/admin/troubleshooting.rst has them.
"""

from collections.abc import Iterable, Mapping, Sequence
import datetime
from typing import Any, NamedTuple

from nova_qga.guest import capabilities
from nova_qga.guest import description
from nova_qga.guest import guest as guest_module
from nova_qga.guest import survey
from nova_qga.rpc.catalog import base

#: Names of blocked commands that are told of one guest. A guest may invent
#: more; real agents have fewer.
MAX_NAMES = 64
#: Characters kept of an agent's version.
MAX_VERSION = 64

OK = 'ok'
LIMITED = 'limited'
DARK = 'dark'

#: The reason where an error is none of the guest's.
HOST_SIDE = 'host_side'
#: What a code of an error means for whoever looks for an agent.
FAULTS: Mapping[str, str] = {
    survey.NOT_ASKED: 'not_asked',
    'channel_timeout': 'no_answer',
    'channel_busy': 'busy',
    'protocol': 'nonsense',
    'malformed_message': 'nonsense',
    'message_too_large': 'nonsense',
    'invalid_reply': 'nonsense',
}
#: Operation -> the commands without which it cannot work.
Needs = Mapping[str, Sequence[str]]

_STATES: Mapping[str, str] = {
    'shutoff': 'it is off: start it',
    'paused': (
        'it is paused: unpause it, or see in the log of its domain why '
        'libvirt paused it'
    ),
    'pmsuspended': 'its system has suspended itself: wake it',
}


class Policy(NamedTuple):
    """What this host gives to guests that are built now.

    :ivar enabled: ``[qga]enabled``
    :ivar channel_policy: ``[qga]channel_policy``
    """

    enabled: bool
    channel_policy: str


class Verdict(NamedTuple):
    """What is wrong with a guest, if anything is."""

    status: str
    reason: str | None = None
    message: str | None = None
    since: float | None = None


def needs_of(operations: Iterable[base.Operation]) -> Needs:
    """Return what operations need, those that a guest can be judged by.

    What is off unless the operator allows it is not among them: no guest is
    the worse for lacking it.
    """
    return {
        each.name: each.needs
        for each in operations
        if each.needs and not each.off_by_default
    }


def report(
    finding: survey.Finding,
    kinds: Mapping[str, str],
    policy: Policy,
    needs: Needs,
) -> dict[str, Any]:
    """Return what is said of one guest.

    :param kinds: port name -> ``direct`` or ``standard``
    """
    guest = finding.guest
    described = guest.description
    channels = sorted(
        {kinds[p.name] for p in described.ports if p.name in kinds}
    )
    verdict = judge(finding, channels, policy, needs)
    info = finding.info
    blocked: Sequence[str] = ()
    lacking: Mapping[str, Sequence[str]] = {}
    if info is not None and verdict.status != DARK:
        blocked = _names(n for n, on in info.commands.items() if not on)
        lacking = _lacking(needs, info.commands)
    return {
        'instance_uuid': described.uuid,
        'name': described.name,
        'domain': described.domain,
        'state': guest.state,
        'project_id': described.project_id,
        'channels': channels,
        'channel': finding.channel,
        'agent_version': None if info is None else info.version[:MAX_VERSION],
        'blocked': list(blocked),
        'lacking': dict(lacking),
        'status': verdict.status,
        'reason': verdict.reason,
        'message': verdict.message,
        'since': _moment(verdict.since),
    }


def judge(
    finding: survey.Finding,
    channels: Sequence[str],
    policy: Policy,
    needs: Needs,
) -> Verdict:
    """Say whether a guest is dark, limited or well, and why."""
    state = finding.guest.state
    if state != guest_module.RUNNING:
        message = _STATES.get(state, f'it is {state}: start it anew')
        return Verdict(DARK, state, message)
    if not channels:
        return _without_channel(finding.guest.description, policy)
    if finding.channel is not None:
        return _answering(finding, needs)
    if finding.fault is None or _closed(finding.guest):
        return Verdict(
            DARK,
            'not_opened',
            'nothing in the guest has its channel open: install '
            'qemu-guest-agent there, or start it',
        )
    fault = finding.fault
    reason = FAULTS.get(fault.code, HOST_SIDE)
    return Verdict(DARK, reason, fault.message, fault.since)


def _without_channel(
    described: description.Description, policy: Policy
) -> Verdict:
    if described.image_says is False:
        return Verdict(
            DARK, 'declined', 'its image has hw_qemu_guest_agent=no'
        )
    if described.flavor_says is False:
        return Verdict(DARK, 'declined', 'its flavor has qga:channel=no')
    asks = described.image_says or described.flavor_says
    if policy.enabled and policy.channel_policy == 'none':
        return Verdict(DARK, 'policy', '[qga]channel_policy is none here')
    if not policy.enabled and not described.image_says:
        return Verdict(
            DARK,
            'policy',
            '[qga]enabled is false here, and its image does not ask for a '
            'channel',
        )
    if policy.channel_policy == 'image' and not asks:
        return Verdict(
            DARK,
            'policy',
            '[qga]channel_policy is image here, and neither its image nor '
            'its flavor asks for a channel',
        )
    return Verdict(
        DARK,
        'no_channel',
        'it was built without the extension: reboot it hard; where it has '
        'another virtio-serial port, "nova-qga channel attach" gives it the '
        'direct channel without a reboot',
    )


def _answering(finding: survey.Finding, needs: Needs) -> Verdict:
    info = finding.info
    if info is None:
        return Verdict(
            LIMITED,
            'blocked',
            'guest-info is blocked by the configuration of its agent',
        )
    if capabilities.looks_frozen(info):
        return Verdict(
            DARK,
            'frozen',
            'its filesystems are frozen: wait for the snapshot or backup '
            'that froze them, or thaw them',
        )
    lacking = _lacking(needs, info.commands)
    if not lacking:
        return Verdict(OK)
    lost = ', '.join(lacking)
    blocked = {name for names in lacking.values() for name in names}
    if blocked & info.commands.keys():
        return Verdict(
            LIMITED,
            'blocked',
            f'the configuration of its agent blocks what these take: {lost}',
        )
    return Verdict(
        LIMITED,
        'too_old',
        f'its agent has no commands for these, update it: {lost}',
    )


def _lacking(
    needs: Needs, commands: Mapping[str, bool]
) -> dict[str, list[str]]:
    """Return the operations that cannot work, each with what it lacks.

    :param commands: name -> enabled, as guest-info says
    """
    found = {}
    for operation, needed in sorted(needs.items()):
        lacked = [name for name in needed if not commands.get(name)]
        if lacked:
            found[operation] = lacked
    return found


def _closed(guest: guest_module.Guest) -> bool:
    """Tell whether libvirt says that the guest has opened no port."""
    return not any(guest.has_opened(each) for each in guest.channels)


def _names(names: Iterable[str]) -> list[str]:
    return sorted(names)[:MAX_NAMES]


def _moment(seconds: float | None) -> str | None:
    if seconds is None:
        return None
    moment = datetime.datetime.fromtimestamp(seconds, datetime.UTC)
    return moment.isoformat(timespec='seconds')
