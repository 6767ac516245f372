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

"""What a check found, and how much it matters."""

import dataclasses
import enum


class Severity(enum.IntEnum):
    """How much it matters; the numbers are those of oslo.upgradecheck."""

    GOOD = 0  # nothing to do
    WARNING = 1  # something works otherwise than it looks
    FAILURE = 2  # something does not work


@dataclasses.dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was found.

    :ivar text: what it is and, unless it is good, what to do next
    """

    severity: Severity
    text: str


def good(text: str) -> list[Finding]:
    """All is well, and this is what was seen."""
    return [Finding(Severity.GOOD, text)]


def warning(text: str) -> list[Finding]:
    return [Finding(Severity.WARNING, text)]


def failure(text: str) -> list[Finding]:
    return [Finding(Severity.FAILURE, text)]
