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

"""Put together what freezes guests, and what thaws them in time."""

from collections.abc import Callable
from typing import NamedTuple

from nova_qga.agent import thawer
from nova_qga.guest import host as guest_host
from nova_qga.journal import leases as journal_leases
from nova_qga.rpc import freezer
from nova_qga.rpc import frozen_guests
from nova_qga.rpc import lease_end
from nova_qga.rpc import ledger as rpc_ledger


class Freezing(NamedTuple):
    """What freezes guests, and what thaws them.

    :ivar thawer: not started; None where no guest is frozen
    """

    freezer: freezer.Freezer
    thawer: thawer.Thawer | None


def build(
    host: guest_host.Host,
    leases: journal_leases.Leases | None,
    ledger: rpc_ledger.Ledger,
    host_name: str,
    wake: Callable[[], None],
) -> Freezing:
    """Return it for the guests of a host.

    :param leases: None for a process that does not live to their ends, and
        so freezes none
    :param wake: told that a notification waits in the outbox
    """
    if leases is None:
        return Freezing(freezer.Freezer(host, None), None)
    guests = frozen_guests.FrozenGuests(leases, host.directory)
    ending = lease_end.LeaseEnd(host, guests, ledger, host_name, wake)
    return Freezing(
        freezer.Freezer(host, guests),
        thawer.Thawer(guests, host.may_have, ending),
    )
