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

"""Does the message broker take us?

By one real connection with the driver's own settings; nothing is sent, and
no queue is made. Nothing of the URL but hosts and ports is shown.
"""

from oslo_config import cfg
import oslo_messaging as messaging

from nova_qga.agent import assembly
from nova_qga.checks import finding
from nova_qga import errors
from nova_qga.rpc import broker

#: Seconds for all of the brokers that the URL names.
TIMEOUT = 30.0


def check(
    conf: cfg.ConfigOpts, timeout: float = TIMEOUT
) -> list[finding.Finding]:
    """Connect.

    :param timeout: seconds
    """
    try:
        transport = assembly.build_transport(conf)
        broker.Broker(transport).connect(timeout)
    except errors.QgaError as error:
        return finding.failure(str(error))
    url = messaging.TransportURL.parse(transport.conf)
    where = ', '.join(broker.addresses(url)) or 'the one on localhost'
    return finding.good(f'{where} takes us')
