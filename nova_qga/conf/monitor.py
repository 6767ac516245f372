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

"""The ``[qga_monitor]`` options: what is measured in guests, how often."""

from oslo_config import cfg

GROUP = cfg.OptGroup(
    'qga_monitor',
    title='Monitoring of guests',
    help="""
What is measured inside the guests of this host, and where it goes.

All options of this group are read anew when nova-qga-agent gets SIGHUP.
""",
)

OPTS = [
    cfg.FloatOpt(
        'interval',
        default=60.0,
        min=1.0,
        max=86400.0,
        mutable=True,
        help="""
Seconds between two samples of a guest.

The guests of a host are spread over this time by their UUIDs. Each sample
costs the guest, this host, the broker and whoever stores it; shorten it where
somebody looks at short peaks, and adapt the polling intervals and archive
policies of what stores the samples.

Related options:

* ``[qga_monitor]project_intervals``: other periods for single projects.
* ``[qga_monitor]slow_interval``: what is asked for less often.
* ``[qga_monitor]collectors``: what a sample consists of.
""",
    ),
    cfg.FloatOpt(
        'slow_interval',
        default=300.0,
        min=1.0,
        max=86400.0,
        mutable=True,
        help="""
Seconds between two samples of what changes slowly.

That is filesystems, users and the operating system. Each costs a guest more
than the rest does, and fills no graph; lengthen it where guests have many
filesystems. A guest that is sampled less often than this is asked for
everything each time.

Related options:

* ``[qga_monitor]interval``: the period of the rest.
""",
    ),
    cfg.FloatOpt(
        'heartbeat_interval',
        default=60.0,
        min=0.0,
        max=86400.0,
        mutable=True,
        help="""
Seconds after which an agent that was asked for nothing is asked for a sign of
life.

It matters for guests that are sampled less often than this: an agent that
hangs is known sooner, and one that is back as well. Shorten it where somebody
waits for that; 0 asks for none.

Related options:

* ``[qga_monitor]interval``, ``[qga_monitor]project_intervals``: a sample is a
  sign of life.
""",
    ),
    cfg.ListOpt(
        'excluded_projects',
        default=[],
        mutable=True,
        help="""
Projects whose guests are not monitored, by id.

Use it for a project that pays for nothing of it, or forbids it. Requests, as
to set a password, are served for its guests as before. What is no UUID is
said in the log.

Related options:

* ``[qga_monitor]excluded_instances``: single guests.
""",
    ),
    cfg.ListOpt(
        'excluded_instances',
        default=[],
        mutable=True,
        help="""
Guests that are not monitored, by the UUID of the instance.

Use it for a guest that its owner does not want to be looked into, or that
suffers from being asked, at once and without a restart. It may name guests of
other hosts: one list for all hosts keeps a guest excluded where it moves.
What is no UUID is said in the log.

The extra spec ``qga:monitoring=no`` of a flavor and the property
``qga_monitoring=no`` of an image do the same for the guests made with them.
""",
    ),
    cfg.DictOpt(
        'project_intervals',
        default={},
        mutable=True,
        help="""
Seconds between two samples of the guests of single projects.

Shorten it for a project that looks at short peaks, lengthen it for one that
looks at its guests once a day. A value that is out of bounds stops the start;
at SIGHUP, all options of this group stay as they were.

Possible values:

* Pairs of project id and seconds, 1 to 86400, as
  ``3d0e6f1c2b5a4978a1f0c6e2d4b8957a:15, 77b1e2...:3600``.

Related options:

* ``[qga_monitor]interval``: of all other projects.
""",
    ),
    cfg.ListOpt(
        'collectors',
        default=[
            'cpu',
            'load',
            'memory',
            'disks',
            'filesystems',
            'network',
            'uptime',
            'users',
            'osinfo',
        ],
        mutable=True,
        help="""
The kinds of measurements that a sample consists of.

Leave out what nobody looks at, or add what you have installed. A guest whose
agent cannot tell something is sampled for the rest. With an empty list no
samples are taken. An unknown name stops the start.

Possible values:

* Names in the entry point namespace ``nova_qga.collectors``: ``cpu``,
  ``load``, ``memory``, ``disks``, ``filesystems``, ``network``, ``uptime``,
  ``users``, ``osinfo``; and of which the default has none, for they add many
  samples: ``percpu``, CPU time of each CPU, and ``partitions``, disk I/O of
  each partition.
""",
    ),
    cfg.ListOpt(
        'publishers',
        default=['notification'],
        mutable=True,
        help="""
Where samples go.

Add what you have installed, or leave the list empty to publish nothing;
samples can then still be asked for with ``nova-qga metrics show``. An unknown
name stops the start.

Possible values:

* Names in the entry point namespace ``nova_qga.publishers``:
  ``notification``, an oslo.messaging notification for each guest and round,
  or for many guests, which Ceilometer can take;
  ``prometheus``, a port from which Prometheus fetches the last samples;
  ``http``, POSTs of JSON lines to an address, or to one for each project;
  ``jsonl``, a file of JSON lines.

Related options:

* ``[oslo_messaging_notifications]driver``: without one, nothing is sent by
  ``notification``.
* ``[qga_notification]``: how many guests one notification is for.
* ``[qga_prometheus]``: the port, and who may fetch from it.
* ``[qga_http]``: the addresses, and how they are trusted.
* ``[qga_jsonl]path``: the file.
""",
    ),
]


def register_opts(conf: cfg.ConfigOpts) -> None:
    conf.register_group(GROUP)
    conf.register_opts(OPTS, group=GROUP)
