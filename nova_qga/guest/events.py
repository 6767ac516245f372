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

"""libvirt's domain events, reduced to what matters here.

Source: https://libvirt.org/html/libvirt-libvirt-domain.html (events).
"""

from collections.abc import Callable
import threading
from typing import Any, NamedTuple

import libvirt
from oslo_log import log as logging

LOG = logging.getLogger(__name__)


class Event(NamedTuple):
    """Something happened to a guest: look at it again.

    :ivar new_agent: another agent may answer now than before
    :ivar booted: its system begins anew: it was started or reset
    """

    uuid: str
    new_agent: bool
    booted: bool = False


_started = threading.Lock()
_thread: list[threading.Thread] = []


def start() -> None:
    """Run libvirt's event loop, once in a process, before any connection."""
    with _started:
        if _thread:
            return
        # Errors come as exceptions; do not write them to stderr as well.
        libvirt.registerErrorHandler(_quiet, None)
        libvirt.virEventRegisterDefaultImpl()
        runner = threading.Thread(
            target=_run, name='qga-libvirt-events', daemon=True
        )
        _thread.append(runner)
        runner.start()


def register(
    connection: libvirt.virConnect, put: Callable[[Event], None]
) -> list[int]:
    """Tell ``put`` of events, on libvirt's event thread.

    A driver that lacks one of the events does without it.

    :returns: the callbacks; a connection stays open while it has any
    """

    def look(_: Any, domain: libvirt.virDomain, *__: Any) -> None:
        put(Event(domain.UUIDString(), False))

    def lifecycle(
        _: Any, domain: libvirt.virDomain, event: int, detail: int, *__: Any
    ) -> None:
        # Whoever looks late finds it running as before.
        started = event == libvirt.VIR_DOMAIN_EVENT_STARTED
        # Else it woke up, came from another host, or from a file.
        booted = started and detail == libvirt.VIR_DOMAIN_EVENT_STARTED_BOOTED
        put(Event(domain.UUIDString(), started, booted))

    def rebooted(_: Any, domain: libvirt.virDomain, *__: Any) -> None:
        put(Event(domain.UUIDString(), True, True))

    def new_agent(_: Any, domain: libvirt.virDomain, *__: Any) -> None:
        put(Event(domain.UUIDString(), True))

    registered = []
    for event_id, callback in (
        (libvirt.VIR_DOMAIN_EVENT_ID_LIFECYCLE, lifecycle),
        (libvirt.VIR_DOMAIN_EVENT_ID_DEVICE_ADDED, look),
        (libvirt.VIR_DOMAIN_EVENT_ID_DEVICE_REMOVED, look),
        (libvirt.VIR_DOMAIN_EVENT_ID_METADATA_CHANGE, look),
        (libvirt.VIR_DOMAIN_EVENT_ID_REBOOT, rebooted),
        (libvirt.VIR_DOMAIN_EVENT_ID_AGENT_LIFECYCLE, new_agent),
    ):
        try:
            registered.append(
                connection.domainEventRegisterAny(
                    None, event_id, callback, None
                )
            )
        except libvirt.libvirtError as error:
            if error.get_error_code() != libvirt.VIR_ERR_NO_SUPPORT:
                raise
            LOG.debug('libvirt has no event %s here', event_id)
    return registered


def _run() -> None:
    while True:
        libvirt.virEventRunDefaultImpl()


def _quiet(_: Any, __: Any) -> None:
    """Take an error that is also raised."""
