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

"""Sample every guest in its period, without hurry and without bursts.

A guest that has just booted, or whose agent has just come, is sampled a few
times more in its first minute. One whose period is long is asked for a sign of
life in between.
"""

import asyncio
from collections.abc import Callable
import functools
import time

from oslo_log import log as logging

from nova_qga.agent import internals as agent_internals
from nova_qga.agent import monitored
from nova_qga.agent import rounds
from nova_qga.agent import taker as agent_taker
from nova_qga.agent import timetable
from nova_qga.collectors import sample_set
from nova_qga.guest import guest as guest_module
from nova_qga.guest import host as guest_host

LOG = logging.getLogger(__name__)

#: Seconds for all that a sample takes.
TIMEOUT = 10.0
#: A guest with a closed port is looked at again after so many samples.
LOOK_AGAIN = 10
#: Part of a period that the hypervisor's figures may be old: so they are asked
#: for once in each, and no guest gets the same twice.
FRESH = 0.75
#: Seconds from one sample to the next after a boot, as far as they are shorter
#: than the period.
BURST = (1.0, 2.0, 4.0, 8.0, 15.0, 15.0, 15.0)
#: Guests that are in one at the same time: all may come at once, as when
#: libvirtd is back.
MOST_BURSTS = 50

Publish = Callable[[sample_set.SampleSet], None]


class _Watch:
    """What the poller remembers of a guest.

    :ivar news: as :func:`_news` says it, when it was last looked at
    :ivar silent: its last round had no answer
    :ivar burst: samples of a burst that were taken
    :ivar timer: of the burst; None outside one
    """

    __slots__ = ('burst', 'news', 'silent', 'timer')

    def __init__(self, guest: guest_module.Guest) -> None:
        self.news = _news(guest)
        self.silent = False
        self.burst = 0
        self.timer: asyncio.TimerHandle | None = None


class Poller:
    """Wakes guests by the timetable and hands on what is known of them.

    :param host: the guests
    :param taker: takes their rounds
    :param guests: which of them, how often
    :param publish: called on the loop's thread: it must not block
    :param internals: what is counted here
    """

    def __init__(
        self,
        host: guest_host.Host,
        taker: agent_taker.Taker,
        guests: monitored.Monitored,
        publish: Publish,
        internals: agent_internals.Internals,
    ) -> None:
        self._host = host
        self._taker = taker
        self._guests = guests
        self._publish = publish
        self._internals = internals
        self._due = timetable.Timetable()
        self._beats = timetable.Timetable()
        self._watched: dict[str, _Watch] = {}
        #: Guests that are in a burst.
        self._bursting = 0
        self._woken = self._wakes = time.monotonic()
        self._timer: asyncio.TimerHandle | None = None

    def start(self) -> None:
        """Begin; guests come and go with the host's directory."""
        self._host.loop.call(self._start)

    def stop(self) -> None:
        """Stop sampling."""
        self._host.loop.call(self._stop)

    def reconfigure(self, guests: monitored.Monitored) -> None:
        """Sample other guests, or in other periods, from now on."""
        self._host.loop.call(self._reconfigure, guests)

    # On the loop's thread, from here on.

    def _start(self) -> None:
        directory = self._host.directory
        directory.on_added.append(self._added)
        directory.on_changed.append(self._changed)
        directory.on_removed.append(self._removed)
        for guest in directory.guests():
            self._put(guest)
        self._woken = time.monotonic()
        self._arm()

    def _stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        for watched in self._watched.values():
            if watched.timer is not None:
                watched.timer.cancel()

    def _reconfigure(self, guests: monitored.Monitored) -> None:
        self._guests = guests
        for guest in self._host.directory.guests():
            self._put(guest)
        if self._timer is not None:
            self._timer.cancel()
            self._arm()

    def _arm(self) -> None:
        tick = min(self._due.tick, self._beats.tick)
        self._wakes = time.monotonic() + tick
        self._timer = self._host.loop.asyncio.call_later(tick, self._tick)

    def _tick(self) -> None:
        now = time.monotonic()
        self._internals.woke(now - self._wakes)
        # Soon: whatever happens to one guest, the others get their turn.
        self._arm()
        since, self._woken = self._woken, now
        for uuid in self._due.due(since, now):
            self._sample(self._host.directory.get(uuid))
        for uuid in self._beats.due(since, now):
            self._beat(self._host.directory.get(uuid))

    def _sample(self, guest: guest_module.Guest) -> None:
        interval = self._due.interval(guest.uuid) or self._guests.interval
        sampler = self._taker.sampler(guest)
        if sampler.running:
            self._internals.overlapped += 1
            return
        self._taker.take(
            guest,
            time.monotonic() + min(TIMEOUT, interval),
            interval * FRESH,
            functools.partial(self._taken, guest.uuid),
        )
        if sampler.taken % LOOK_AGAIN == 1:
            self._look_for_ports(guest)

    def _look_for_ports(self, guest: guest_module.Guest) -> None:
        """Ask libvirt again where it said that a port is closed.

        When a guest opens the direct channel, no event tells.
        """
        if not all(guest.has_opened(each) for each in guest.channels):
            self._host.look_again(guest.uuid)

    def _taken(
        self, uuid: str, samples: sample_set.SampleSet, ended: rounds.Round
    ) -> None:
        self._internals.count(ended)
        if ended.error is not None:
            LOG.debug('no sample of guest %s: %s', uuid, ended.error)
        watched = self._watched.get(uuid)
        if watched is not None:
            watched.silent = ended.told is None
        if samples.parts:
            self._publish(samples)

    def _beat(self, guest: guest_module.Guest) -> None:
        """Ask for a sign of life; after a silence, sample at once."""

        def done(alive: bool) -> None:
            self._internals.beats[alive] += 1
            watched = self._watched.get(guest.uuid)
            if watched is not None and watched.silent and alive:
                self._sample(guest)

        sampler = self._taker.sampler(guest)
        sampler.beat(time.monotonic() + TIMEOUT, done)

    def _put(self, guest: guest_module.Guest) -> None:
        """Give a guest its period, as the options and its owner say."""
        interval = None
        if self._taker.measures:
            interval = self._guests.interval_of(guest.description)
        beat = self._guests.heartbeat_interval
        rare = interval is not None and 0 < beat < interval
        self._due.put(guest.uuid, interval)
        self._beats.put(guest.uuid, beat if rare else None)
        if guest.uuid not in self._watched:
            self._watched[guest.uuid] = _Watch(guest)

    def _added(self, guest: guest_module.Guest) -> None:
        self._put(guest)
        self._burst(guest)

    def _changed(self, guest: guest_module.Guest) -> None:
        self._put(guest)
        watched = self._watched[guest.uuid]
        news, before = _news(guest), watched.news
        watched.news = news
        if news != before:
            self._burst(guest)

    def _removed(self, guest: guest_module.Guest) -> None:
        self._due.put(guest.uuid, None)
        self._beats.put(guest.uuid, None)
        watched = self._watched.pop(guest.uuid, None)
        if watched is not None and watched.timer is not None:
            watched.timer.cancel()
            self._bursting -= 1
        self._taker.forget(guest)

    def _burst(self, guest: guest_module.Guest) -> None:
        """Sample it soon, and a few times more; one burst at a time."""
        watched = self._watched[guest.uuid]
        if self._bursting >= MOST_BURSTS:
            return  # its period will do
        if watched.timer is None and guest.state == guest_module.RUNNING:
            watched.burst = 0
            self._bursting += 1
            self._next_of_burst(guest, watched)

    def _next_of_burst(
        self, guest: guest_module.Guest, watched: _Watch
    ) -> None:
        """Wait for the next sample of a burst, or end it."""
        watched.timer = None
        interval = self._due.interval(guest.uuid)
        if interval is not None and watched.burst < len(BURST):
            pause = BURST[watched.burst]
            if pause < interval:
                watched.timer = self._host.loop.asyncio.call_later(
                    pause, self._in_burst, guest, watched
                )
        if watched.timer is None:
            self._bursting -= 1

    def _in_burst(self, guest: guest_module.Guest, watched: _Watch) -> None:
        watched.burst += 1
        self._next_of_burst(guest, watched)
        # It may have been left out in the meantime.
        if self._due.interval(guest.uuid) is not None:
            self._internals.in_bursts += 1
            self._sample(guest)


def _news(guest: guest_module.Guest) -> tuple[int, float, bool]:
    """Return what shows that there may be more to sample than before."""
    running = guest.state == guest_module.RUNNING
    return guest.boots, guest.opened, running
