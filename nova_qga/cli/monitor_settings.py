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

"""``monitor_settings.xml`` of a guest: how often its script sent, and where.

Its elements had no fixed names, so what looks like a period or an address is
taken, by name and by form; all else stays unread. The guest may have written
anything there: it is parsed without a document type, entities and network,
and no more of it is shown than has the form of a period or an address. What
may be a password in an address is masked. Pure.
"""

from collections.abc import Iterable, Iterator, Sequence
import re
from typing import NamedTuple

from lxml import etree

#: Bytes that are read of one.
MAX_BYTES = 64 * 1024
#: Where it was put, unless the inject file says otherwise.
NAME = 'monitor_settings.xml'
PATH = f'/etc/vm_monitor/{NAME}'

#: The likelier names first.
_PERIOD_NAMES = (re.compile('period|interval'), re.compile('freq|cycle'))
_ADDRESS_NAMES = (
    re.compile('push|url|uri|endpoint'),
    re.compile('address|server|host$'),
)
_SECRET_NAMES = re.compile('pass|pwd|secret|token|key|credential|auth')
_SCHEME = re.compile('[A-Za-z][A-Za-z0-9+.-]{0,15}://')
_PERIOD = re.compile(r'[0-9]{1,9}(?:\.[0-9]{1,3})? ?[A-Za-z]{0,7}')
_ADDRESS = re.compile(
    rf'(?:{_SCHEME.pattern})?'
    r'(?:\*\*\*@)?'
    r'(?:[A-Za-z0-9_.-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])'
    r'(?::[0-9]{1,5})?'
    r"(?:/[A-Za-z0-9._~%!$&'()*+,;=:@/-]{0,256})?"
    r'(?:\?\*\*\*)?'
)


class Settings(NamedTuple):
    """What is known of them; None where nothing is.

    :ivar period: as it stands there, for its unit is not known
    :ivar address: with ``***`` for what may be a password
    """

    period: str | None = None
    address: str | None = None


class Unreadable(Exception):
    """It is none that can be read; the text says why."""


def parse(data: bytes) -> Settings:
    """Return what a file says.

    :raises Unreadable: it is no XML, or more than such a file is
    """
    if len(data) > MAX_BYTES:
        raise Unreadable(f'it has more than {MAX_BYTES} bytes')
    parser = etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
    )
    try:
        root = etree.fromstring(data, parser)
    except (etree.XMLSyntaxError, ValueError):
        raise Unreadable('it is no XML') from None
    if root.getroottree().docinfo.internalDTD is not None:
        raise Unreadable('it has a document type, as no such file needs')
    values = [
        (name, value)
        for name, value in _values(root)
        if value and not _SECRET_NAMES.search(name)
    ]
    addresses = [(name, masked(value)) for name, value in values]
    return Settings(
        _first(values, _PERIOD_NAMES, _PERIOD),
        _first(addresses, _ADDRESS_NAMES, _ADDRESS),
    )


def masked(address: str) -> str:
    """Return an address without what may be a password in it.

    That is all between its scheme and the last ``@``, and its query.
    """
    before, at, behind = address.rpartition('@')
    if at:
        scheme = _SCHEME.match(before)
        address = f'{scheme[0] if scheme else ""}***@{behind}'
    shown, query, _ = address.partition('?')
    return f'{shown.partition("#")[0]}{"?***" if query else ""}'


def _first(
    values: Sequence[tuple[str, str]],
    names: Iterable[re.Pattern[str]],
    form: re.Pattern[str],
) -> str | None:
    """Return the first value of such a name and form."""
    for likely in names:
        for name, value in values:
            if likely.search(name) and form.fullmatch(value):
                return value
    return None


def _values(root: etree._Element) -> Iterator[tuple[str, str]]:
    """Yield names and values of elements and attributes, as they stand."""
    for element in root.iter(etree.Element):
        name = etree.QName(element).localname.lower()
        named = {str(k): str(v) for k, v in element.attrib.items()}
        # <setting name="period" value="60"/>
        own = (named.get('name') or named.get('key') or '').lower()
        yield name, (element.text or '').strip()
        for each, value in named.items():
            local = etree.QName(each).localname.lower()
            yield (own if local == 'value' else local), value.strip()
        if own:
            yield own, (element.text or '').strip()
