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


"""The ``[qga_prometheus]`` options: where Prometheus fetches samples."""

from oslo_config import cfg

GROUP = cfg.OptGroup(
    'qga_prometheus',
    title='Samples for Prometheus',
    help="""
Where Prometheus fetches the samples of this host's guests.

Nothing of it is used unless ``prometheus`` is among
``[qga_monitor]publishers``. All options of this group, and the files that they
name, are read anew when nova-qga-agent gets SIGHUP.
""",
)

OPTS = [
    cfg.HostAddressOpt(
        'listen_address',
        default='127.0.0.1',
        mutable=True,
        help="""
The address on which Prometheus fetches the samples.

By default only this host can. Set it to an address of the network from which
Prometheus comes: whoever can connect sees the samples of all guests of this
host, so let no one else in, by a firewall, by TLS with ``client_ca_file``, or
by a proxy on this host that asks for a password.

Related options:

* ``[qga_prometheus]listen_port``
* ``[qga_prometheus]client_ca_file``
""",
    ),
    cfg.PortOpt(
        'listen_port',
        default=9177,
        min=1,
        mutable=True,
        help="""
The port on which Prometheus fetches the samples.

Related options:

* ``[qga_prometheus]listen_address``
""",
    ),
    cfg.StrOpt(
        'certificate_file',
        default='',
        mutable=True,
        help="""
The file of the certificate with which TLS is spoken, in PEM.

Empty: no TLS is. Set it where samples go over a network that others use.

Related options:

* ``[qga_prometheus]key_file``: must be set too.
""",
    ),
    cfg.StrOpt(
        'key_file',
        default='',
        mutable=True,
        help="""
The file of the certificate's private key, in PEM.

Related options:

* ``[qga_prometheus]certificate_file``
""",
    ),
    cfg.StrOpt(
        'client_ca_file',
        default='',
        mutable=True,
        help="""
The file of the authorities whose certificates clients must have, in PEM.

Empty: clients need none. It takes TLS.

Related options:

* ``[qga_prometheus]certificate_file``
""",
    ),
    cfg.FloatOpt(
        'max_age',
        default=180.0,
        min=1.0,
        mutable=True,
        help="""
Seconds for which the last samples of a guest are shown.

A guest that was not sampled for so long is shown no more: Prometheus then
knows that nothing is known of it. Keep it at least twice as long as the time
between two samples.

Related options:

* ``[qga_monitor]interval``
""",
    ),
    cfg.IntOpt(
        'max_series',
        default=2000,
        min=10,
        mutable=True,
        help="""
The number of series that one guest may have.

A guest names its disks, filesystems and interfaces itself, and could have any
number of them. What is beyond is left out, and counted in
``nova_qga_prometheus_series_left_out``. Raise it for guests that really have
so many.
""",
    ),
    cfg.IntOpt(
        'max_label_sets',
        default=1000,
        min=10,
        mutable=True,
        help="""
The number of different labels that one guest may have within a day.

A guest that names its devices anew at each sample would make new series
without end, and Prometheus keeps each of them. Samples with labels beyond this
number are left out until the day is over, and counted in
``nova_qga_prometheus_series_left_out``. Raise it for guests whose devices
really change so often, as those with many short-lived containers, or that have
so many.

Related options:

* ``[qga_prometheus]max_series``
""",
    ),
]


def register_opts(conf: cfg.ConfigOpts) -> None:
    conf.register_group(GROUP)
    conf.register_opts(OPTS, group=GROUP)
