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

"""The ``[qga_http]`` options: where samples are posted to."""

from oslo_config import cfg

GROUP = cfg.OptGroup(
    'qga_http',
    title='Samples by HTTP',
    help="""
Where samples are posted to, as JSON lines.

Nothing of it is used unless ``http`` is among ``[qga_monitor]publishers``. All
options of this group, and the files that they name, are read anew when
nova-qga-agent gets SIGHUP. Proxies, certificates and passwords that the
environment or a netrc file names are never used.
""",
)

OPTS = [
    cfg.StrOpt(
        'url',
        default='',
        secret=True,
        mutable=True,
        help="""
The address that samples are posted to.

It gets those of all guests whose project has no address of its own. Empty:
only projects that have one are told of. It is http: or https:, with no user
name or password in it.

Related options:

* ``[qga_http]project_urls``
* ``[qga_http]token_file``, ``[qga_http]username``: for one that asks who we
  are.
""",
    ),
    cfg.DictOpt(
        'project_urls',
        default={},
        secret=True,
        mutable=True,
        help="""
Addresses of projects that have one of their own.

The samples of a project's guests go there, and not to ``url``. Set it where
tenants collect what their guests do by themselves. Each address has a queue
and a thread of its own: one that hangs holds up no other.

Possible values:

* ``<id of a project>:<address>``, several with commas between them. A comma
  in an address is written ``%2C``.

Related options:

* ``[qga_http]url``
* ``[qga_http]project_token_files``
""",
    ),
    cfg.IntOpt(
        'batch_size',
        default=50,
        min=1,
        max=1000,
        mutable=True,
        help="""
The number of guests whose samples one POST may hold.

Raise it where a receiver gets more POSTs than it likes, set it to 1 where it
takes but one JSON object at a time.

Related options:

* ``[qga_http]batch_wait``
* ``[qga_http]max_bytes``
""",
    ),
    cfg.FloatOpt(
        'batch_wait',
        default=10.0,
        min=0.0,
        max=3600.0,
        mutable=True,
        help="""
Seconds that samples may wait for others to be posted with.

A project with few guests takes long to fill a POST. Lower it where samples
are wanted sooner; they have the time at which they were taken, however long
they wait.

Related options:

* ``[qga_http]batch_size``
""",
    ),
    cfg.IntOpt(
        'max_bytes',
        default=1048576,
        min=65536,
        max=16777216,
        mutable=True,
        help="""
The bytes that the body of a POST may have.

What would be more is posted as several. The default is what nginx takes
unless it was told otherwise; lower it for receivers that answer with 413.

Related options:

* ``[qga_http]batch_size``
""",
    ),
    cfg.FloatOpt(
        'timeout',
        default=10.0,
        min=0.1,
        max=300.0,
        mutable=True,
        help="""
Seconds that a POST may take, from the connection to the end of the answer.

After them the connection is cut, however much came, and the POST is made
again after a pause, a few times. Raise it for receivers that are far away or
take long to store what they get; others are not held up meanwhile. The look-up
of a name takes its own time.

Related options:

* ``[qga_http]batch_size``
""",
    ),
    cfg.StrOpt(
        'ca_file',
        default='',
        mutable=True,
        help="""
The file of the authorities whose certificates receivers must have, in PEM.

Empty: those that this host trusts. Set it where receivers have certificates of
an authority of your own; no other is trusted then. A receiver is never spoken
to without a look at its certificate, unless its address is http:.

Related options:

* ``[qga_http]certificate_file``
""",
    ),
    cfg.StrOpt(
        'certificate_file',
        default='',
        mutable=True,
        help="""
The file of the certificate by which receivers know this host, in PEM.

Set it where they ask for one. All receivers that do are shown it.

Related options:

* ``[qga_http]key_file``: must be set too.
""",
    ),
    cfg.StrOpt(
        'key_file',
        default='',
        mutable=True,
        help="""
The file of the certificate's private key, in PEM, with no password.

It must be readable for the user of nova-qga-agent, and for no others.

Related options:

* ``[qga_http]certificate_file``
""",
    ),
    cfg.StrOpt(
        'token_file',
        default='',
        mutable=True,
        help="""
The file with the bearer token for ``url``.

Set it where that receiver asks for one; it takes https:. The file is read for
each POST, so a new token needs no signal. It is never sent to addresses of
projects.

Related options:

* ``[qga_http]url``
* ``[qga_http]project_token_files``
""",
    ),
    cfg.StrOpt(
        'username',
        default='',
        mutable=True,
        help="""
The user name for ``url``, where it asks for one with a password.

It takes https:, and is never sent to addresses of projects.

Related options:

* ``[qga_http]url``
* ``[qga_http]password_file``: must be set too.
""",
    ),
    cfg.StrOpt(
        'password_file',
        default='',
        mutable=True,
        help="""
The file with the password of ``username``.

It is read for each POST, so a new password needs no signal. Let no others
read it than the user of nova-qga-agent.

Related options:

* ``[qga_http]username``
""",
    ),
    cfg.DictOpt(
        'project_token_files',
        default={},
        mutable=True,
        help="""
Files with the bearer tokens for addresses of projects.

Set it for those whose receivers ask for one. Each is read for each POST to
that address, and goes nowhere else.

Possible values:

* ``<id of a project>:<file>``, several with commas between them. Each project
  is in ``project_urls`` too.

Related options:

* ``[qga_http]project_urls``
""",
    ),
    cfg.StrOpt(
        'proxy',
        default='',
        mutable=True,
        help="""
The address of the HTTP proxy to go by.

Empty: none, whatever the environment says. Set it where receivers cannot be
reached from this host without one; all addresses go by it.

Related options:

* ``[qga_http]url``
""",
    ),
]


def register_opts(conf: cfg.ConfigOpts) -> None:
    conf.register_group(GROUP)
    conf.register_opts(OPTS, group=GROUP)
