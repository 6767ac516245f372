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

"""Reach hosts over the message broker, or this one itself.

What it takes is imported where it is needed: a controller has no libvirt,
and nobody waits for oslo.messaging to read a help text.
"""

from collections.abc import Callable, Sequence
import getpass
import sys
import threading
from typing import NamedTuple, Self, TYPE_CHECKING

from oslo_config import cfg

from nova_qga.conf import files
from nova_qga import errors

if TYPE_CHECKING:
    import oslo_messaging as messaging

    from nova_qga.rpc import api as rpc_api

#: Seconds to take leave of the broker.
LEAVE = 2.0
#: Seconds for which the broker keeps the queue of our answers after that;
#: long enough to find it again where the connection breaks.
REPLIES_KEPT = 120


class Target(NamedTuple):
    """A guest, and the host that answers for it.

    :ivar host: its name, the first argument of each operation of ``api``
    :ivar instance: the guest's UUID, the second
    """

    api: 'rpc_api.Api'
    host: str
    instance: str


class Link:
    """A way to hosts.

    :ivar api: their operations
    :ivar here: the name of this host, where it is the only one; else ''
    """

    def __init__(
        self,
        api: 'rpc_api.Api',
        here: str,
        close: Callable[[], None] = lambda: None,
    ) -> None:
        self.api = api
        self.here = here
        self.close = close

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def connect(
    conf: cfg.ConfigOpts,
    *,
    local: bool,
    config_files: Sequence[str],
    config_dirs: Sequence[str] = (),
    timeout: float,
    wait_for_agent: bool = False,
) -> Link:
    """Go to the message broker, or to this host's own guests.

    :param local: to these
    :param config_files: instead of those of the agent
    :param config_dirs: folders of further files
    :param timeout: seconds for each request
    :param wait_for_agent: hold each until the guest's agent is there
    :raises ConfigurationError, ServiceUnavailable: why it cannot be reached
    """
    _use_threads()
    try:
        conf(
            [],
            project='nova-qga',
            default_config_files=list(config_files) or files.existing(),
            default_config_dirs=list(config_dirs) or None,
        )
        go = _here if local else _there
        return go(conf, timeout, wait_for_agent)
    except (cfg.Error, ValueError) as error:
        raise errors.ConfigurationError(str(error)) from None


def _use_threads() -> None:
    """Choose threads before anything of oslo is loaded that would choose."""
    # Where it is installed it is loaded for nothing, and complains.
    sys.modules.setdefault('eventlet', None)  # type: ignore[arg-type]

    from oslo_service import backend

    backend.init_backend(backend.BackendType.THREADING)


def _there(conf: cfg.ConfigOpts, timeout: float, wait_for_agent: bool) -> Link:
    import oslo_messaging as messaging

    from nova_qga.rpc import api
    from nova_qga.rpc import caller
    from nova_qga.rpc import user

    try:
        transport = messaging.get_rpc_transport(conf)
        url = messaging.TransportURL.parse(conf)
    except (messaging.MessagingException, ValueError) as error:
        # Its words hold the URL, and so the broker's password.
        raise errors.ConfigurationError(
            f'[DEFAULT]transport_url cannot be used ({type(error).__name__}): '
            'it is like rabbit://user:password@host:5672/'
        ) from None
    if url.transport == 'rabbit' and not url.hosts:
        raise errors.ConfigurationError(
            '[DEFAULT]transport_url is not set, so no message broker is '
            'known: name the file that has it with --config-file'
        )
    if 'oslo_messaging_rabbit' in conf:
        # Each run has a queue for its answers, which would be there for half
        # an hour after it.
        conf.set_default(
            'rabbit_transient_queues_ttl',
            REPLIES_KEPT,
            group='oslo_messaging_rabbit',
        )
    context = user.operator(getpass.getuser())
    called = caller.RpcCaller(transport, context)
    made = api.Api(called, timeout, wait_for_agent=wait_for_agent)
    return Link(made, '', lambda: _leave(transport))


def _leave(transport: 'messaging.Transport') -> None:
    """Close the connections, else the broker's log calls us a client lost."""
    # It waits for threads of its own, which may wait for the broker.
    closing = threading.Thread(target=transport.cleanup, daemon=True)
    closing.start()
    closing.join(LEAVE)


def _here(conf: cfg.ConfigOpts, timeout: float, wait_for_agent: bool) -> Link:
    from nova_qga.agent import local as agent_local
    from nova_qga import conf as qga_conf
    from nova_qga.rpc import api
    from nova_qga.rpc import local as rpc_local
    from nova_qga.rpc import user

    qga_conf.register_opts(conf)
    here = agent_local.build(conf)
    context = user.operator(getpass.getuser())
    caller = rpc_local.LocalCaller(here.endpoint, context)
    made = api.Api(caller, timeout, wait_for_agent=wait_for_agent)
    return Link(made, here.host_name, here.close)
