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

"""What the run shows, in the order in which it is shown."""

from collections.abc import Callable, Iterator

from cloud import deployment
from cloud.scenarios import attachment
from cloud.scenarios import backup
from cloud.scenarios import creation
from cloud.scenarios import life_cycle
from cloud.scenarios import live_migration
from cloud.scenarios import lost_host
from cloud.scenarios import operations
from cloud.scenarios import password
from cloud.scenarios import policy
from cloud.scenarios import snapshot

#: Each yields the names of its checks; see cloud/report.py.
ALL: dict[str, Callable[[deployment.Cloud], Iterator[str]]] = {
    'creation': creation.run,
    'password': password.run,
    'snapshot': snapshot.run,
    'operations': operations.run,
    'backup': backup.run,
    'policy': policy.run,
    'attachment': attachment.run,
    'life_cycle': life_cycle.run,
    'live_migration': live_migration.run,
    'lost_host': lost_host.run,
}
