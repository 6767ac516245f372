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

"""The guest agent itself, as this host sees it. Pure.

These come with every round of a guest, whatever collectors are chosen, and
with the source ``hypervisor``: it is the host that saw it.
"""

from nova_qga.collectors import base

#: 1 or 0; not there while the guest is off, paused or leaves.
UP = base.Metric('guest.agent.up', base.Unit.COUNT, base.Kind.GAUGE)
#: Always 1: what it tells is its label ``version``.
INFO = base.Metric('guest.agent.info', base.Unit.COUNT, base.Kind.GAUGE)
#: From the question to the last answer, of all that a round asks.
DURATION = base.Metric(
    'guest.sampling.duration', base.Unit.SECONDS, base.Kind.GAUGE
)
#: That this host worked for the round.
CPU_TIME = base.Metric(
    'guest.sampling.cpu.time', base.Unit.SECONDS, base.Kind.GAUGE
)

METRICS = (UP, INFO, DURATION, CPU_TIME)


def answered(version: str, seconds: float, worked: float) -> list[base.Sample]:
    """Return what is seen of an agent that has answered."""
    return [
        base.Sample(UP, 1),
        base.Sample(INFO, 1, ('version', version)),
        base.Sample(DURATION, seconds),
        base.Sample(CPU_TIME, worked),
    ]


def silent() -> list[base.Sample]:
    """Return what is seen of a guest in which no agent answers."""
    return [base.Sample(UP, 0)]
