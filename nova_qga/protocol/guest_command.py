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

"""Any command of the guest's agent, and what it answers.

Nothing is known of either, so that every command counts as one with an
effect, and the answer is only made safe: it has the depth and the number of
values that :mod:`nova_qga.protocol.decoding` lets through, and its strings
are escaped and cut.
"""

from collections.abc import Mapping
from typing import Any

from nova_qga.protocol import command
from nova_qga import text

#: Bytes of a reply.
MAX_REPLY = 1024 * 1024
#: Characters of each text in it.
MAX_TEXT = 64 * 1024


def run(name: str, arguments: Mapping[str, Any]) -> command.Command[Any]:
    """Run a command, whatever it is."""
    return command.Command(name, read, arguments, True, MAX_REPLY)


def read(value: Any) -> Any:
    """Return a reply, with every text in it safe to show."""
    if type(value) is str:
        return text.printable(value, MAX_TEXT)
    if type(value) is list:
        return [read(each) for each in value]
    if type(value) is dict:
        return {text.printable(k): read(each) for k, each in value.items()}
    return value
