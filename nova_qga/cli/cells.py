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

"""Turn a value into what an output format can show.

JSON and YAML keep numbers, lists and mappings as they are; in the other
formats a list or a mapping is one line of text, and what is not known is a
dash, so that columns stay where they are.
"""

from collections.abc import Mapping, Sequence
from typing import Any

_STRUCTURED = ('json', 'yaml')

# In double quotes these are more than themselves; cliff quotes the quotes.
_SHELL = str.maketrans({'\\': '\\\\', '$': '\\$', '`': '\\`'})

# A spreadsheet would take what begins so for a formula.
_FORMULA = ('=', '+', '-', '@')


def keeps_structure(formatter: str) -> bool:
    """Tell whether a format has lists and mappings of its own."""
    return formatter in _STRUCTURED


def cell(value: Any, formatter: str) -> Any:
    """Return ``value`` as it is to stand in an output of this format."""
    if keeps_structure(formatter):
        return value
    if value is None or value == '' or value == [] or value == {}:
        return '' if formatter in ('csv', 'shell') else '-'
    if isinstance(value, bool):
        return 'yes' if value else 'no'
    if isinstance(value, int | float):
        return value
    shown = _line(value, '\n' if formatter == 'table' else '; ')
    if formatter == 'csv' and shown.startswith(_FORMULA):
        return f"'{shown}"
    # The guest has its say in these, and they are made to be evaluated.
    return shown.translate(_SHELL) if formatter == 'shell' else shown


def row(values: Sequence[Any], formatter: str) -> list[Any]:
    """Return a row of cells."""
    return [cell(value, formatter) for value in values]


def _line(value: Any, separator: str) -> str:
    if isinstance(value, Mapping):
        return ','.join(f'{key}={each}' for key, each in value.items())
    if isinstance(value, list | tuple):
        return separator.join(_line(each, ',') for each in value)
    return str(value)
