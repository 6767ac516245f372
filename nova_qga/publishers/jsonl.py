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


"""Samples as lines of JSON in a file: one a guest and sample.

A file that was moved away, as logrotate does, is made anew.
"""

import os

import orjson

from nova_qga.collectors import sample_set
from nova_qga import errors
from nova_qga.publishers import base
from nova_qga.publishers import payload

GROUP = 'qga_jsonl'


class JsonLinesPublisher(base.Publisher):
    """Adds to a file.

    :raises ConfigurationError: it cannot be written
    """

    def __init__(self, context: base.Context) -> None:
        super().__init__(context)
        self._path: str = context.options[GROUP]['path']
        try:
            self._file = self._open()
        except OSError as error:
            raise errors.ConfigurationError(
                f'[{GROUP}]path, {self._path}, cannot be written: '
                f'{error.strerror}'
            ) from None

    def publish(self, samples: sample_set.SampleSet) -> None:
        if not self._is_current():
            moved, self._file = self._file, self._open()
            os.close(moved)
        record = payload.of(samples, self.context.host)
        # One write: a reader sees no half of a line.
        os.write(self._file, orjson.dumps(record) + b'\n')

    def close(self) -> None:
        os.close(self._file)

    def _open(self) -> int:
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC
        return os.open(self._path, flags, 0o640)

    def _is_current(self) -> bool:
        try:
            named = os.stat(self._path)
        except FileNotFoundError:
            return False
        return os.path.samestat(named, os.fstat(self._file))
