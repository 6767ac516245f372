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

"""Make text that a guest controls safe for a log line or a terminal.

Terminal escapes, bidirectional marks, line breaks and endless strings must
not reach a person's screen or split a log record.
"""

#: Characters kept of any string that a guest sent.
LIMIT = 256


def printable(value: str, limit: int = LIMIT) -> str:
    """Return ``value`` with what is not printable escaped, cut to ``limit``.

    A backslash is doubled, so that an escape in the result is always ours.
    """
    if len(value) <= limit and value.isprintable() and '\\' not in value:
        return value
    cut = value[:limit].replace('\\', '\\\\')
    safe = ''.join(
        char
        if char.isprintable()
        else char.encode('unicode_escape', 'replace').decode('ascii')
        for char in cut
    )
    return safe if len(value) <= limit else safe + '...'
