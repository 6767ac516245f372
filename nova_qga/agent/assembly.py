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

"""Make the parts as the options say: for the service, and ``local``.

The one place where options become plain values.
"""

from collections.abc import Callable
import dataclasses
import pathlib

from oslo_config import cfg
import oslo_messaging as messaging

from nova_qga.agent import freezing as agent_freezing
from nova_qga.agent import thawer as agent_thawer
from nova_qga import errors
from nova_qga.guest import attachment
from nova_qga.guest import host as guest_host
from nova_qga.journal import database
from nova_qga.journal import key_pairs
from nova_qga.journal import leases as journal_leases
from nova_qga.journal import outbox
from nova_qga.journal import owned_keys
from nova_qga.journal import requests
from nova_qga.nova_extension import channel
from nova_qga.publishers import sender
from nova_qga.rpc.catalog import base as catalog_base
from nova_qga.rpc.catalog import loading
from nova_qga.rpc import coverage
from nova_qga.rpc import endpoint
from nova_qga.rpc import host as rpc_host
from nova_qga.rpc import ledger as rpc_ledger
from nova_qga.rpc import policy as rpc_policy
from nova_qga.rpc import runner
from nova_qga.rpc import server as rpc_server
from nova_qga.rpc import target
from nova_qga.rpc import views

#: Attempts to send a notification again, where the operator left it at
#: "for ever": that would hold up all others while the broker is away.
RETRY = 2


@dataclasses.dataclass(frozen=True, slots=True)
class Requests:
    """What answers requests.

    :ivar thawer: None where no guest is frozen
    """

    ledger: rpc_ledger.Ledger
    runner: runner.Runner
    endpoint: endpoint.Endpoint
    thawer: agent_thawer.Thawer | None


def build_host(conf: cfg.ConfigOpts) -> guest_host.Host:
    """Return this host's guests, not started."""
    return guest_host.Host(
        guest_host.HostSettings(
            libvirt_uri=conf.qga_agent.libvirt_uri,
            direct_channel=conf.qga.direct_channel,
            sync_timeout=conf.qga_agent.sync_timeout,
            command_timeout=conf.qga_agent.command_timeout,
            attach=_attachment_plan(conf.qga),
        )
    )


def _attachment_plan(group: cfg.ConfigOpts.GroupAttr) -> attachment.Plan:
    """Return what the extension of this host would give to guests."""
    # Where it is off, none is to have a channel that Nova does not give it.
    policy = channel.Policy(group.channel_policy if group.enabled else 'none')
    settings = channel.ChannelSettings(
        policy, group.direct_channel, group.direct_channel_dir
    )
    return attachment.Plan(
        name=settings.direct_channel,
        path=lambda domain: channel.direct_channel_path(settings, domain),
        wanted=lambda image, flavor: channel.is_wanted(
            policy, image=image, flavor=flavor
        ),
    )


def build_journal(conf: cfg.ConfigOpts) -> database.Database:
    """Open the journal.

    :raises ConfigurationError: another agent uses it
    """
    return database.Database(pathlib.Path(conf.qga_agent.state_path))


def build_keys(conf: cfg.ConfigOpts) -> key_pairs.KeyPairs:
    """Return what secrets are sealed to."""
    return key_pairs.KeyPairs(pathlib.Path(conf.qga_agent.state_path))


def rotate_key(conf: cfg.ConfigOpts) -> str:
    """Make a new key pair the current one, and return its id.

    :raises ServiceUnavailable: the old ones cannot be read, or no new one
        written
    """
    lifetime = conf.qga_operations.old_key_lifetime
    return build_keys(conf).rotate(lifetime).key_id


def build_notifier(conf: cfg.ConfigOpts) -> sender.Notifier:
    """Return a notifier, with a connection of its own.

    :raises ConfigurationError: the broker's URL is wrong
    """
    transport = _notification_transport(conf)
    return sender.Notifier(transport, _publisher(conf), _retry(conf))


def build_sender(
    conf: cfg.ConfigOpts, events: outbox.Outbox, upkeep: Callable[[], None]
) -> sender.Sender:
    """Return what sends the outcomes.

    :raises ConfigurationError: the broker's URL is wrong
    """
    return sender.Sender(events, build_notifier(conf).send, upkeep)


def _notification_transport(conf: cfg.ConfigOpts) -> messaging.Transport:
    messaging.set_transport_defaults(control_exchange=target.EXCHANGE)
    try:
        return messaging.get_notification_transport(conf)
    except (messaging.MessagingException, ValueError) as error:
        raise _bad_transport(error) from None


def _publisher(conf: cfg.ConfigOpts) -> str:
    return f'nova-qga:{conf.host}'


def _retry(conf: cfg.ConfigOpts) -> int:
    retry: int = conf.oslo_messaging_notifications.retry
    return RETRY if retry < 0 else retry


def build_transport(conf: cfg.ConfigOpts) -> messaging.Transport:
    """Return the transport for requests.

    :raises ConfigurationError: the broker's URL is wrong
    """
    try:
        transport = messaging.get_rpc_transport(conf)
    except (messaging.MessagingException, ValueError) as error:
        raise _bad_transport(error) from None
    if 'oslo_messaging_rabbit' in conf:
        # Else all that waits in the broker would be fetched, and be lost if
        # we died.
        conf.set_default(
            'rabbit_qos_prefetch_count',
            rpc_server.IN_HAND,
            group='oslo_messaging_rabbit',
        )
    return transport


def _bad_transport(error: Exception) -> errors.ConfigurationError:
    # Its text may hold the URL, and so the broker's password.
    return errors.ConfigurationError(
        '[DEFAULT]transport_url, or that of [oslo_messaging_notifications], '
        f'cannot be used ({type(error).__name__}): it is like '
        'rabbit://user:password@host:5672/'
    )


def build_requests(
    conf: cfg.ConfigOpts,
    host: guest_host.Host,
    samples: rpc_host.Samples,
    journal: database.Database,
    events: outbox.Outbox,
    wake: rpc_ledger.Wake,
    keys: key_pairs.KeyPairs,
    leases: journal_leases.Leases | None,
    usage: rpc_host.Usage,
) -> Requests:
    """Return what answers requests for the guests of ``host``.

    :param leases: None for a process that does not live to their ends, and
        so freezes no guest
    :param usage: who follows what guests use
    """
    installed = loading.load()
    noted = requests.Requests(journal, events)
    ledger = rpc_ledger.Ledger(
        noted, events, host.directory, conf.host, installed, wake
    )
    policy = rpc_policy.Policy(conf.qga_operations.policy_file, installed)
    freezing = agent_freezing.build(host, leases, ledger, conf.host, wake)
    operations = runner.Runner(
        host,
        ledger,
        installed,
        policy,
        freezing.freezer,
        _runner_settings(conf, keys, owned_keys.OwnedKeys(journal)),
    )
    host.directory.on_changed.append(lambda each: operations.look(each.uuid))
    host_views = views.Views(
        host,
        samples,
        conf.host,
        conf.qga.direct_channel,
        coverage.Policy(conf.qga.enabled, conf.qga.channel_policy),
        policy,
        coverage.needs_of(installed.values()),
        ledger,
        keys,
        usage,
    )
    return Requests(
        ledger,
        operations,
        endpoint.Endpoint(operations, host_views),
        freezing.thawer,
    )


def _runner_settings(
    conf: cfg.ConfigOpts,
    keys: key_pairs.KeyPairs,
    owned: owned_keys.OwnedKeys,
) -> runner.Settings:
    return runner.Settings(
        host=conf.host,
        operation_timeout=conf.qga_agent.operation_timeout,
        limits=catalog_base.Limits(
            max_file_size=conf.qga_operations.max_file_size,
            allowed_commands=frozenset(conf.qga_operations.allowed_commands),
        ),
        keys=keys,
        owned=owned,
        workers=conf.qga_agent.rpc_workers,
        max_waiting=conf.qga_operations.max_waiting,
        max_waiting_per_guest=conf.qga_operations.max_waiting_per_guest,
    )
