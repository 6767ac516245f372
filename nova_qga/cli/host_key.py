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

"""``host key list``."""

import argparse
from collections.abc import Iterable, Sequence
from typing import Any

from nova_qga.cli import cells
from nova_qga.cli import command
from nova_qga.cli import outcome


class ListHostKeys(command.Lister):
    """List the public keys that secrets for compute hosts are sealed to.

    Of all hosts that run nova-compute, unless --host or --local says
    otherwise. The key id is the beginning of the key's SHA-256: it is what
    "nova-qga-agent --rotate-key" prints on the host.
    """

    def take_action(
        self, parsed_args: argparse.Namespace
    ) -> tuple[Sequence[str], Iterable[Any]]:
        answers = self.app.every_host(
            lambda api, host: outcome.result(api.get_public_key(host))
        )
        self.exit_code = answers.exit_code
        rows = (
            (
                host,
                result['key_id'],
                result['algorithm'],
                result['public_key'],
            )
            for host, result in answers.results.items()
        )
        columns = ('Host', 'Key ID', 'Algorithm', 'Public Key')
        return columns, [cells.row(row, parsed_args.formatter) for row in rows]
