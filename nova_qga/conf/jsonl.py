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


"""The ``[qga_jsonl]`` options: the file that samples are written to."""

from oslo_config import cfg

GROUP = cfg.OptGroup(
    'qga_jsonl',
    title='Samples in a file',
    help="""
The file of JSON lines that samples are written to.

Nothing of it is used unless ``jsonl`` is among ``[qga_monitor]publishers``.
All options of this group are read anew when nova-qga-agent gets SIGHUP.
""",
)

OPTS = [
    cfg.StrOpt(
        'path',
        default='/var/log/nova-qga/samples.jsonl',
        mutable=True,
        help="""
The file to which a line is added for each guest and sample.

It is for tools that read files, such as Fluent Bit or Vector, and grows fast:
have it rotated. One that was moved away is made anew, so logrotate needs
neither ``copytruncate`` nor a signal. Its owner and group can read it: it
names projects, and says what all guests of the host do.
""",
    ),
]


def register_opts(conf: cfg.ConfigOpts) -> None:
    conf.register_group(GROUP)
    conf.register_opts(OPTS, group=GROUP)
