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

"""Where requests go: names that controllers and agents share."""

import oslo_messaging as messaging

EXCHANGE = 'nova'
TOPIC = 'nova-qga'
#: Raised by its second number when something is added, by its first when
#: something is taken away.
VERSION = '1.0'


def target(server: str | None = None) -> messaging.Target:
    """Return the target of all agents, or of one.

    :param server: the compute host's name, as Nova knows it
    """
    return messaging.Target(
        exchange=EXCHANGE, topic=TOPIC, server=server, version=VERSION
    )
