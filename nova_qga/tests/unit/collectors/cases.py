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

"""What the tests of the collectors share."""

import unittest

import stevedore

from nova_qga.collectors import base
from nova_qga import errors
from nova_qga.tests.fixtures import recordings

_PLUGINS: 'stevedore.ExtensionManager[base.Collector]' = (
    stevedore.ExtensionManager('nova_qga.collectors', invoke_on_load=True)
)
COLLECTORS = {plugin.name: plugin.obj for plugin in _PLUGINS}
#: An agent that has the commands for files and no other.
FILES = dict.fromkeys(base.FILE_COMMANDS, True)


def _sources():
    newest = recordings.enabled('debian-13')
    for collector in COLLECTORS.values():
        found = []
        for enabled in (newest, FILES):
            for source in collector.select(enabled):
                if source not in found:
                    found.append(source)
                    yield collector, source


#: Each source that a collector has for agents of QEMU's, behind the collector.
SOURCES = list(_sources())


class CollectorTestCase(unittest.TestCase):
    """Ask one collector.

    :cvar collector: the collector
    :cvar command: the guest command that tells its metrics, if there is one
    :cvar path: the file that does, if there is one
    """

    maxDiff = None
    collector: base.Collector
    command: str
    path: str

    def recorded(self, guest):
        """Name and label values -> value, of a recorded guest."""
        return self.table(recordings.samples(guest, self.collector))

    def standing_in(self, **figures):
        """The same, of the hypervisor's figures of a real guest.

        :param figures: that are to be others
        """
        known = recordings.hypervisor_figures()._replace(**figures)
        return self.table(self.collector.stand_in(known))

    def of_reply(self, reply):
        """The same, of what an agent answers to the command."""
        return self.table(
            self._read(self.command, {self.command: True}, reply)
        )

    def of_file(self, content, path=None):
        """The same, of what the file holds."""
        return self.table(self._read(path or self.path, FILES, content))

    def assert_file_refused(self, content, path=None):
        with self.assertRaises(errors.InvalidReply):
            self.of_file(content, path)

    def asked(self, enabled):
        """Names of the commands and files that are asked."""
        return [
            question.path
            if isinstance(question, base.ProcFile)
            else question.name
            for question in (
                source.question for source in self.collector.select(enabled)
            )
        ]

    def _read(self, name, enabled, answer):
        self.assertIn(name, self.asked(enabled))
        position = self.asked(enabled).index(name)
        source = self.collector.select(enabled)[position]
        return recordings.read(source, answer)

    def table(self, samples):
        table = {
            (sample.metric.name, *sample.labels[1::2]): sample.value
            for sample in samples
        }
        self.assertEqual(len(samples), len(table), 'a sample is repeated')
        return table
