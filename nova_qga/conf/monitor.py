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

* ``[qga_monitor]collectors``: what a sample consists of.
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
        ],
        mutable=True,
        help="""
The kinds of measurements that a sample consists of.

Leave out what nobody looks at, or add what you have installed. A guest whose
agent cannot tell something is sampled for the rest. With an empty list no
samples are taken. An unknown name stops the start.

Possible values:

* Names in the entry point namespace ``nova_qga.collectors``: ``cpu``,
  ``load``, ``memory``, ``disks``, ``filesystems``, ``network``, ``uptime``.
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
  ``notification``, an oslo.messaging notification for each guest and sample,
  which Ceilometer can take;
  ``prometheus``, a port from which Prometheus fetches the last samples;
  ``jsonl``, a file of JSON lines.

Related options:

* ``[oslo_messaging_notifications]driver``: without one, nothing is sent by
  ``notification``.
* ``[qga_prometheus]``: the port, and who may fetch from it.
* ``[qga_jsonl]path``: the file.
""",
    ),
]


def register_opts(conf: cfg.ConfigOpts) -> None:
    conf.register_group(GROUP)
    conf.register_opts(OPTS, group=GROUP)
