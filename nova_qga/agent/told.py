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

"""What a guest told in one round, read from its answers.

Whatever one of them is, it costs its own collector and no other.
"""

from collections.abc import Mapping, Set
import time
from typing import Any, NamedTuple

from oslo_log import log as logging

from nova_qga.agent import kept as agent_kept
from nova_qga.agent import plan as sampling_plan
from nova_qga.collectors import base
from nova_qga.collectors import sample_set
from nova_qga import errors

LOG = logging.getLogger(__name__)

#: What is said of a collector that raised something.
FAULT = 'the collector failed: see the log'
_NOTHING: Mapping[str, str] = {}


class Told(NamedTuple):
    """What a guest has told of itself.

    :ivar by: collectors that gave something, or will when they are due
    :ivar missing: collector -> why it gave nothing
    :ivar version: of the agent
    """

    parts: tuple[sample_set.Part, ...]
    by: set[str]
    missing: Mapping[str, str]
    version: str


def read(
    kept: agent_kept.Kept,
    plan: sampling_plan.Plan,
    slots: tuple[sampling_plan.Slot, ...],
    replies: list[Any],
    later: Set[str] | None = None,
) -> Told:
    """Return what it told.

    :param slots: where each source's answer is
    :param replies: in the order of the batch, each checked by nobody yet
    :param later: collectors that were not due; None where all were
    """
    samples: list[base.Sample] = []
    seldom: list[base.Sample] = []
    told = set(later or ()).union(
        *[plan.readers[path] for path in kept.constant]
    )
    missing: dict[str, str] = {}
    version = kept.info.version if kept.info is not None else ''
    for name, slow, samples_of, path, asked, index, _ in slots:
        reply = replies[index]
        if isinstance(reply, errors.CommandError):
            missing[name] = str(reply)
            if isinstance(reply, errors.CommandUnsupported):
                kept.info = None  # frozen, or blocked since: ask which
            continue
        try:
            value = asked.read(reply)
            taken = list(samples_of(value if path is None else value.data))
            if taken:
                told.add(name)
                (seldom if slow else samples).extend(taken)
        except errors.InvalidReply as error:
            missing[name] = f'the guest sent nonsense: {error}'
        except Exception:
            # A plugin's fault costs its own metric and no other.
            LOG.exception('collector %s failed', name)
            missing[name] = FAULT
    for constant in kept.constant.values():
        samples.extend(constant)
    for path, reason in kept.refused.items():
        missing.update(dict.fromkeys(plan.readers.get(path, ()), reason))
    missing.update(plan.silent)
    parts = _parts(samples, seldom, later is None)
    return Told(parts, told, missing or _NOTHING, version)


def _parts(
    samples: list[base.Sample], seldom: list[base.Sample], due: bool
) -> tuple[sample_set.Part, ...]:
    """Return one part, and one of what changes slowly where that was due.

    That is there also where it is empty: nothing of before is true any more.
    """
    now = time.time()
    part = sample_set.Part(sample_set.GUEST, now, samples)
    if not due:
        return (part,)
    return part, sample_set.Part(sample_set.GUEST, now, seldom, True)
