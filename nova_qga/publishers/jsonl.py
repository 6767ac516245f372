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


"""Samples as lines of JSON in a file: one a guest and round.

A file that was moved away, as logrotate does, is made anew.
"""

from collections.abc import Sequence
import errno
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

    group = GROUP

    def __init__(self, context: base.Context) -> None:
        super().__init__(context)
        self._path: str = context.options[GROUP]['path']
        #: Whether the disk was full in the middle of a line.
        self._torn = False
        try:
            self._file = self._open()
        except OSError as error:
            raise errors.ConfigurationError(
                f'[{GROUP}]path, {self._path}, cannot be written: '
                f'{error.strerror}'
            ) from None

    def publish(self, batch: Sequence[sample_set.SampleSet]) -> None:
        try:
            if not self._is_named():
                moved, self._file = self._file, self._open()
                os.close(moved)
            for each in batch:
                self._write(orjson.dumps(payload.of(each, self.context.host)))
        except OSError as error:
            raise errors.ServiceUnavailable(
                f'[{GROUP}]path, {self._path}, cannot be written: '
                f'{error.strerror}'
            ) from None

    def _write(self, record: bytes) -> None:
        # One write: a reader sees no half of a line.
        line = b'\n' * self._torn + record + b'\n'
        self._torn = os.write(self._file, line) < len(line)
        if self._torn:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def close(self) -> None:
        os.close(self._file)

    def _open(self) -> int:
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC
        return os.open(self._path, flags, 0o640)

    def _is_named(self) -> bool:
        try:
            named = os.stat(self._path)
        except FileNotFoundError:
            return False
        return os.path.samestat(named, os.fstat(self._file))
