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


"""What is measured and where it goes, as the options say now.

All of it may change at SIGHUP.
"""

from collections.abc import Mapping
import dataclasses
from typing import Any

from oslo_config import cfg
from oslo_log import log as logging

from nova_qga.agent import monitored
from nova_qga.agent import plugins
from nova_qga.collectors import base as collectors_base
from nova_qga.conf import http
from nova_qga.conf import jsonl
from nova_qga.conf import notification
from nova_qga.conf import prometheus
from nova_qga import errors
from nova_qga.publishers import base as publishers_base

LOG = logging.getLogger(__name__)

#: The groups of options that publishers have.
PUBLISHER_OPTIONS = (http, jsonl, notification, prometheus)


@dataclasses.dataclass(frozen=True, slots=True)
class Monitor:
    """What is measured, of which guests, how often, and where it goes."""

    guests: monitored.Monitored
    collectors: dict[str, collectors_base.Collector]
    publishers: dict[str, publishers_base.Publisher]


def read(
    conf: cfg.ConfigOpts,
    notifier: Any,
    known: Mapping[str, publishers_base.Publisher],
    internals: publishers_base.Internals,
) -> Monitor:
    """Read it, and load the plugins that it names.

    :param known: publishers that are there, to be used on
    :param internals: asked for what the agent says of itself
    :raises ConfigurationError: a name or a value is wrong
    """
    try:
        collectors = conf.qga_monitor.collectors
        publishers = conf.qga_monitor.publishers
        context = _context(conf, notifier, internals)
    except (cfg.Error, ValueError) as error:
        raise errors.ConfigurationError(str(error)) from None
    return Monitor(
        read_guests(conf),
        plugins.load_collectors(collectors),
        plugins.load_publishers(publishers, context, known),
    )


def read_guests(conf: cfg.ConfigOpts) -> monitored.Monitored:
    """Read which guests are measured, and how often.

    :raises ConfigurationError: a value is wrong
    """
    try:
        options = conf.qga_monitor
        guests = monitored.choose(
            interval=options.interval,
            slow_interval=options.slow_interval,
            heartbeat_interval=options.heartbeat_interval,
            excluded_projects=options.excluded_projects,
            excluded_instances=options.excluded_instances,
            project_intervals=options.project_intervals,
        )
    except (cfg.Error, ValueError) as error:
        raise errors.ConfigurationError(str(error)) from None
    for option, word in guests.doubtful:
        LOG.warning(
            '[qga_monitor]%(option)s has %(word)r, which is no UUID, as the '
            'ids of projects and instances are: correct it',
            {'option': option, 'word': word},
        )
    return guests


def _context(
    conf: cfg.ConfigOpts, notifier: Any, internals: publishers_base.Internals
) -> publishers_base.Context:
    """Return what publishers are made with."""
    options = {
        module.GROUP.name: {
            option.dest: conf[module.GROUP.name][option.dest]
            for option in module.OPTS
        }
        for module in PUBLISHER_OPTIONS
    }
    return publishers_base.Context(conf.host, notifier, options, internals)
