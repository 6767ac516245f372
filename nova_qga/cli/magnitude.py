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

"""Write numbers so that people can compare them at a glance.

Three digits and a prefix, never wider than five characters.
"""

_PREFIXES = ('', 'K', 'M', 'G', 'T', 'P', 'E')


def of_bytes(number: float | None) -> str:
    """Return bytes, or bytes a second, in steps of 1024: ``1.50M``."""
    if number is None:
        return '-'
    return _scaled(number, 1024.0)


def of_number(number: float | None) -> str:
    """Return a number in steps of 1000: ``1.50M``."""
    if number is None:
        return '-'
    return _scaled(number, 1000.0)


def of_unit(number: float | None, unit: str) -> str:
    """Return a number of a sample's unit."""
    return of_bytes(number) if unit == 'B' else of_number(number)


def percent(share: float | None) -> str:
    """Return a share of 1 in percent, without the sign: ``12.5``, ``100``."""
    if share is None:
        return '-'
    number = share * 100
    return f'{number:.1f}' if number < 99.95 else f'{number:.0f}'


def seconds(number: float | None) -> str:
    """Return a time: ``12s``, ``5m``, ``3h``, ``2d``."""
    if number is None:
        return '-'
    if number < 100:
        return f'{number:.0f}s'
    if number < 6000:
        return f'{number / 60:.0f}m'
    if number < 172800:
        return f'{number / 3600:.0f}h'
    return f'{number / 86400:.0f}d'


def _scaled(number: float, step: float) -> str:
    if isinstance(number, int) and abs(number) < 1000:
        # Of what is counted there are no parts.
        return str(number)
    sign = '-' if number < 0 else ''
    number = abs(number)
    for prefix in _PREFIXES:
        # What would be written with four digits takes the next prefix.
        if number < 999.5 or prefix == _PREFIXES[-1]:
            return f'{sign}{_three_digits(number)}{prefix}'
        number /= step
    raise AssertionError


def _three_digits(number: float) -> str:
    if number >= 99.95:
        return f'{number:.0f}'
    if number >= 9.995:
        return f'{number:.1f}'
    return f'{number:.2f}' if number else '0'
