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


"""Results of changes that ended a while ago, for who asks again.

In memory alone: a program's output may be a secret. What is only read needs
no place here, for it is read again.
"""

import collections
import dataclasses
import json
import threading

from nova_qga.rpc import outcome

#: Outcomes that are kept, and characters of their results.
MOST = 1000
MOST_CHARACTERS = 32 << 20


class Recent:
    """The last outcomes that have a result."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: collections.OrderedDict[
            str, tuple[outcome.Outcome, str]
        ] = collections.OrderedDict()
        self._characters = 0

    def keep(self, ended: outcome.Outcome) -> None:
        """Keep an outcome, and forget the oldest where it is too much."""
        if not ended.result:
            return
        try:
            # As values, what a guest makes up takes twenty times as much.
            result = json.dumps(ended.result)
        except (TypeError, ValueError):
            # Nor can it be sent.
            return
        kept = dataclasses.replace(ended, result=None)
        with self._lock:
            self._kept[ended.request_id] = kept, result
            self._characters += len(result)
            while len(self._kept) > MOST or self._characters > MOST_CHARACTERS:
                _, (_, oldest) = self._kept.popitem(last=False)
                self._characters -= len(oldest)

    def find(self, request_id: str) -> outcome.Outcome | None:
        """Return a request's outcome."""
        with self._lock:
            found = self._kept.get(request_id)
        if found is None:
            return None
        kept, result = found
        return dataclasses.replace(kept, result=json.loads(result))
