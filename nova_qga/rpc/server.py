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

"""The RPC server of a host: only what is exposed can be called."""

from typing import Any

import oslo_messaging as messaging
from oslo_messaging.rpc import dispatcher

from nova_qga.rpc import endpoint as rpc_endpoint
from nova_qga.rpc import target


def get_server(
    transport: messaging.Transport,
    host: str,
    endpoint: rpc_endpoint.Endpoint,
) -> Any:
    """Return an ``oslo_messaging.RPCServer`` that is not started.

    Start it with ``override_pool_size``, the number of requests that are
    worked on at once.

    :param host: name of this host, as Nova knows it
    """
    return messaging.get_rpc_server(
        transport,
        target.target(server=host),
        [endpoint],
        executor='threading',
        access_policy=dispatcher.ExplicitRPCAccessPolicy,
    )
