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

"""The ``[qga_notification]`` options: how samples stand in messages."""

from oslo_config import cfg

GROUP = cfg.OptGroup(
    'qga_notification',
    title='Samples as notifications',
    help="""
How samples stand in the notifications that are sent of them.

Nothing of it is used unless ``notification`` is among
``[qga_monitor]publishers``. All options of this group are read anew when
nova-qga-agent gets SIGHUP. Where notifications go, and whether any are sent,
is in ``[oslo_messaging_notifications]``.
""",
)

OPTS = [
    cfg.IntOpt(
        'batch_size',
        default=1,
        min=1,
        max=1000,
        mutable=True,
        help="""
The number of guests whose samples one message may hold.

With 1, each guest's samples are a message of their own,
``instance.guest.metrics``. With more they are put together in messages
``instance.guest.metrics.batch``, in which each sample says whose it is: that
costs this host, the broker and the reader much less. Raise it, to 50 say, on
hosts with hundreds of guests; first see that whoever reads the notifications
takes these messages. Ceilometer does with the definitions that come with
nova-qga.

Related options:

* ``[qga_notification]batch_wait``
* ``[qga_notification]max_bytes``: may end a message earlier.
""",
    ),
    cfg.FloatOpt(
        'batch_wait',
        default=10.0,
        min=0.0,
        max=3600.0,
        mutable=True,
        help="""
Seconds that samples may wait for a message to fill.

Guests are sampled spread over ``[qga_monitor]interval``, so that a host with
few of them takes long to fill one. Lower it where samples are wanted sooner.
They have the time at which they were taken, however long they wait.

Related options:

* ``[qga_notification]batch_size``: with 1 nothing waits.
""",
    ),
    cfg.IntOpt(
        'max_bytes',
        default=1048576,
        min=65536,
        max=16777216,
        mutable=True,
        help="""
The bytes that a message may have, about.

What would be more is sent as several messages. RabbitMQ refuses messages over
its ``max_message_size``, 16 MiB unless it was changed, and who reads one holds
it in memory several times over: lower it rather than raise it.

Related options:

* ``[qga_notification]batch_size``
""",
    ),
]


def register_opts(conf: cfg.ConfigOpts) -> None:
    conf.register_group(GROUP)
    conf.register_opts(OPTS, group=GROUP)
