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

"""The programs ``nova-qga`` and ``openstack``, as a controller has them."""

import json
from typing import Any

from cloud import layout
from cloud import programs


class CommandLine:
    """Runs both with the cloud's configuration."""

    def __init__(self, run: programs.Programs) -> None:
        self._run = run

    def nova_qga(
        self, host: str | None, *words: str, given: str | None = None
    ) -> str:
        """Run nova-qga; return what it prints.

        :param host: to ask; None lets it ask Nova for it
        :param given: its standard input
        :raises ProgramFailed: it ended with a status other than 0.
        """
        etc = self._run.place.etc
        where = () if host is None else ('--host', host)
        options = ('--config-file', f'{etc}/nova.conf', *where)
        return self._run.run('nova-qga', *options, *words, given=given)

    def ask(self, host: str | None, *words: str) -> Any:
        """Return what nova-qga shows, as JSON has it."""
        return json.loads(self.nova_qga(host, *words, '-f', 'json'))

    def openstack(self, *words: str) -> str:
        """Run openstack with the compute API of the cloud's microversion."""
        option = ('--os-compute-api-version', layout.MICROVERSION)
        return self._run.run('openstack', *option, *words)
