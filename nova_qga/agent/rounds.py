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

"""What becomes of one round of a guest: all that is known of it. Pure.

What the guest did not tell, the hypervisor does, as far as it knows.
"""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from oslo_log import log as logging

from nova_qga.agent import told as agent_told
from nova_qga.collectors import agent
from nova_qga.collectors import base
from nova_qga.collectors import sample_set
from nova_qga import errors
from nova_qga.guest import figures
from nova_qga.guest import freeze_states
from nova_qga.guest import guest as guest_module

LOG = logging.getLogger(__name__)

OVER_BUDGET = 'over_budget'
#: Reasons for which an agent is not asked, although it runs.
_UP = (freeze_states.FROZEN, OVER_BUDGET)


class Round(NamedTuple):
    """How the guest's part of a round ended.

    :ivar told: None where it told nothing
    :ivar error: why it did not
    :ivar began: when it was asked, Unix time
    :ivar seconds: until the end of the last answer
    :ivar worked: seconds that this host's CPU was busy with it
    """

    told: agent_told.Told | None
    error: errors.QgaError | None
    began: float
    seconds: float = 0.0
    worked: float = 0.0


def compose(
    guest: guest_module.Guest,
    ended: Round,
    collectors: Mapping[str, base.Collector],
    lacking: Iterable[str],
    known: figures.Figures | None,
) -> sample_set.SampleSet:
    """Return all samples of the round.

    :param lacking: collectors that the hypervisor is to stand in for
    :param known: what it knows; None for nothing
    """
    parts = () if ended.told is None else ended.told.parts
    seen = _seen(guest, ended)
    if seen:
        host = sample_set.Part(sample_set.HYPERVISOR, ended.began, seen)
        parts = (*parts, host)
    if known is not None:
        stand_ins = _stand_ins(collectors, lacking, known)
        if stand_ins:
            source = sample_set.HYPERVISOR
            part = sample_set.Part(source, known.timestamp, stand_ins)
            parts = (*parts, part)
    missing: Mapping[str, str]
    if ended.told is None:
        missing = dict.fromkeys(collectors, str(ended.error))
    else:
        missing = ended.told.missing
    description = guest.description
    return sample_set.SampleSet(
        description.uuid,
        description.domain,
        description.name,
        description.project_id,
        description.user_id,
        parts,
        missing,
    )


def measures(samples: sample_set.SampleSet) -> bool:
    """Tell whether it has more than what the host sees of the agent."""
    return any(each.metric not in agent.METRICS for each in samples.samples)


def _seen(guest: guest_module.Guest, ended: Round) -> list[base.Sample]:
    """Return what the host sees of the agent."""
    if ended.told is not None:
        return agent.answered(ended.told.version, ended.seconds, ended.worked)
    if guest.state != guest_module.RUNNING:
        # It cannot answer, and that is no fault.
        return []
    if isinstance(ended.error, errors.ServiceUnavailable):
        return []  # ours
    if isinstance(ended.error, errors.GuestUnavailable):
        if ended.error.reason in _UP:
            return [base.Sample(agent.UP, 1)]
    return agent.silent()


def _stand_ins(
    collectors: Mapping[str, base.Collector],
    lacking: Iterable[str],
    known: figures.Figures,
) -> list[base.Sample]:
    samples: list[base.Sample] = []
    for name in lacking:
        try:
            samples += collectors[name].stand_in(known)
        except Exception:
            # A plugin's fault costs its own metric and no other.
            LOG.exception('collector %s failed', name)
    return samples
