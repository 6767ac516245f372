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


"""Which guests are monitored, and how often: what the operator has chosen.

Pure: it reads no option, asks no guest and logs nothing.
"""

from collections.abc import Iterable, Mapping
import dataclasses
import math

from oslo_utils import uuidutils

from nova_qga import errors
from nova_qga.guest import description as guest_description

#: Seconds between two samples of a guest, at least and at most.
SHORTEST, LONGEST = 1.0, 86400.0


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Monitored:
    """The choice for all guests of a host; times are in seconds.

    Made by :func:`choose`, for ids are compared as :func:`_same` writes them.

    :ivar interval: between two samples of a guest
    :ivar slow_interval: between two samples of what changes slowly
    :ivar heartbeat_interval: after which an agent is asked for a sign of
        life, where it was not asked for anything else; 0 for never
    :ivar doubtful: what was given as an id and cannot be one, and the option
    """

    interval: float = 60.0
    slow_interval: float = 300.0
    heartbeat_interval: float = 60.0
    excluded_projects: frozenset[str] = frozenset()
    excluded_instances: frozenset[str] = frozenset()
    project_intervals: Mapping[str, float] = dataclasses.field(
        default_factory=dict
    )
    doubtful: tuple[tuple[str, str], ...] = ()

    def interval_of(
        self, guest: guest_description.Description
    ) -> float | None:
        """Return a guest's period; None where it is not monitored."""
        if self.off_because(guest) is not None:
            return None
        return self.project_intervals.get(
            _same(guest.project_id), self.interval
        )

    def off_because(self, guest: guest_description.Description) -> str | None:
        """Return who says that a guest is not monitored; None for nobody.

        A no wins over a yes, whoever says it.
        """
        if not guest.monitored:
            return 'its image or flavor says qga:monitoring=no'
        if _same(guest.uuid) in self.excluded_instances:
            return '[qga_monitor]excluded_instances names it'
        if _same(guest.project_id) in self.excluded_projects:
            return '[qga_monitor]excluded_projects names its project'
        return None


def choose(
    *,
    interval: float,
    slow_interval: float,
    heartbeat_interval: float,
    excluded_projects: Iterable[str],
    excluded_instances: Iterable[str],
    project_intervals: Mapping[str, str],
) -> Monitored:
    """Check the values of the options of the same names.

    :raises ConfigurationError: a number is none, or out of bounds
    """
    for name, value in (
        ('interval', interval),
        ('slow_interval', slow_interval),
        ('heartbeat_interval', heartbeat_interval),
    ):
        # oslo.config takes "nan", and lets it pass every bound.
        if not math.isfinite(value):
            raise errors.ConfigurationError(
                f'[qga_monitor]{name} is {value}: set a number of seconds'
            )
    given = {
        'excluded_projects': tuple(excluded_projects),
        'excluded_instances': tuple(excluded_instances),
        'project_intervals': tuple(project_intervals),
    }
    return Monitored(
        interval=interval,
        slow_interval=slow_interval,
        heartbeat_interval=heartbeat_interval,
        excluded_projects=_ids(given['excluded_projects']),
        excluded_instances=_ids(given['excluded_instances']),
        project_intervals={
            _same(project): _seconds(project, value)
            for project, value in project_intervals.items()
        },
        doubtful=tuple(
            (option, each)
            for option, ids in given.items()
            for each in ids
            if not uuidutils.is_uuid_like(each)
        ),
    )


def _ids(given: Iterable[str]) -> frozenset[str]:
    # A guest that Nova did not make has the project ''.
    return frozenset(map(_same, given)) - {''}


def _same(uuid: str) -> str:
    """Return an id as it is compared: Keystone writes no dashes, Nova does."""
    return uuid.replace('-', '').lower()


def _seconds(project: str, value: str) -> float:
    try:
        seconds = float(value)
    except ValueError:
        seconds = math.nan
    if not SHORTEST <= seconds <= LONGEST:
        raise errors.ConfigurationError(
            f'[qga_monitor]project_intervals has {value!r} for project '
            f'{project}: set seconds, from {SHORTEST:g} to {LONGEST:g}'
        )
    return seconds
