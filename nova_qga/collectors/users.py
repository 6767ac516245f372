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

"""How many people are logged in to the guest; never who.

Agents tell of each user once, however often they are logged in. They say
"nobody" also where the system keeps no record of it, as Debian 13, which has
no utmp: so nobody is not told as 0.

Source: qga/qapi-schema.json, GuestUser (QEMU 2.10).
"""

from collections.abc import Mapping, Sequence

from nova_qga.collectors import base
from nova_qga.protocol import commands
from nova_qga.protocol import replies

LOGGED_IN = base.Metric(
    'guest.users.logged_in', base.Unit.COUNT, base.Kind.GAUGE
)


def _read_users(users: Sequence[replies.User]) -> list[base.Sample]:
    distinct = {(each.domain, each.user) for each in users}
    return [base.Sample(LOGGED_IN, len(distinct))] if distinct else []


_USERS = base.Source(commands.get_users(), _read_users)


class UserCollector(base.Collector):
    """How many users are logged in."""

    metrics = (LOGGED_IN,)
    slow = True

    def select(self, enabled: Mapping[str, bool]) -> Sequence[base.Source]:
        return base.best(enabled, _USERS)
