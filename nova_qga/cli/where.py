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

"""Which host a command is for: as the options say, or as Nova knows.

``--host`` and ``--local`` go before; without them, and only then, Nova is
asked.
"""

import argparse
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple
import uuid

from nova_qga.cli import compute_api
from nova_qga.cli import outcome

#: Logs in to OpenStack as the options say; nothing is asked by that.
Nova = Callable[[], compute_api.ComputeApi]


class Server(NamedTuple):
    """One guest.

    :ivar host: None for this one, with ``--local``
    """

    uuid: str
    host: str | None


class Hosts(NamedTuple):
    """The hosts to ask.

    :ivar names: of those, or None for this one alone, with ``--local``
    :ivar left_out: host -> why it is not asked
    """

    names: Sequence[str] | None
    left_out: Mapping[str, str]


def server(options: argparse.Namespace, named: str, nova: Nova) -> Server:
    """Return the guest that an argument names, and its host.

    :param named: UUID, or where Nova is asked, the server's name
    """
    known = as_uuid(named)
    if options.local or options.host:
        if known is None:
            raise outcome.Failure(
                f'"{named}" is no UUID, and names are looked up only where '
                'Nova is asked for the host too, without --host and --local',
                outcome.ExitCode.USAGE,
            )
        if len(options.host) > 1:
            raise outcome.Failure(
                'a server is on one host: give --host once, or not at all',
                outcome.ExitCode.USAGE,
            )
        return Server(known, options.host[0] if options.host else None)
    asked = nova()
    return Server(*asked.find(known or asked.find_by_name(named)))


def hosts(options: argparse.Namespace, nova: Nova) -> Hosts:
    """Return the hosts that the options name, or all that Nova has."""
    if options.local:
        return Hosts(None, {})
    if options.host:
        return Hosts(sorted(set(options.host)), {})
    known = nova().hosts()
    if not known:
        raise outcome.Failure(
            'Nova has no host with nova-compute: name one with --host',
            outcome.ExitCode.NO_SERVICE,
        )
    return Hosts(
        [each.name for each in known if each.down is None],
        {each.name: each.down for each in known if each.down is not None},
    )


def as_uuid(text: str) -> str | None:
    """Return a UUID as Nova writes it; None for what is none."""
    try:
        return str(uuid.UUID(text))
    except ValueError:
        return None
