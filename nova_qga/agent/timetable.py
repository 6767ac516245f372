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

"""When each guest is due, where guests have different periods. Pure."""

from collections.abc import Iterator

from nova_qga.agent import schedule


class Timetable:
    """A schedule for each period that some guest has."""

    def __init__(self) -> None:
        self._schedules: dict[float, schedule.Schedule] = {}
        self._intervals: dict[str, float] = {}

    def __len__(self) -> int:
        return len(self._intervals)

    @property
    def tick(self) -> float:
        """Seconds between two looks at who is due."""
        ticks = [each.tick for each in self._schedules.values()]
        return min(ticks, default=schedule.LONGEST)

    def interval(self, uuid: str) -> float | None:
        """Return a guest's period, in seconds; None for one that has none."""
        return self._intervals.get(uuid)

    def put(self, uuid: str, interval: float | None) -> None:
        """Give a guest a period; None takes it out."""
        before = self._intervals.get(uuid)
        if before == interval:
            return
        if before is not None:
            del self._intervals[uuid]
            self._schedules[before].remove(uuid)
            if not len(self._schedules[before]):
                del self._schedules[before]
        if interval is not None:
            self._intervals[uuid] = interval
            if interval not in self._schedules:
                self._schedules[interval] = schedule.Schedule(interval)
            self._schedules[interval].add(uuid)

    def due(self, since: float, until: float) -> Iterator[str]:
        """Yield who is due after ``since`` and not after ``until``.

        :param since: seconds on any clock that only grows
        :param until: later, on the same clock
        """
        for each in list(self._schedules.values()):
            yield from each.due(since, until)
