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

"""Where samples are posted, and the secret that goes with them.

Addresses may hold secrets in their paths and queries, so no message shows
more than the host. Secrets are read from files, each time anew, and stand in
no other place.
"""

import base64
import re
from typing import NamedTuple
import urllib.parse

from nova_qga import errors

#: Bytes of a file with a secret.
_LARGEST = 16384
_ODD = re.compile(r'[^!-~]')


class Address(NamedTuple):
    """One receiver.

    :ivar option: that names it, for messages
    :ivar token_file: with a bearer token, where it needs one
    :ivar password_file: with the password of ``username``
    """

    option: str
    url: str
    token_file: str = ''
    username: str = ''
    password_file: str = ''

    @property
    def shown(self) -> str:
        """The part of the URL that anybody may see."""
        parts = urllib.parse.urlsplit(self.url)
        return f'{parts.scheme}://{parts.netloc}'

    def check(self, option: str) -> None:
        """Check the URL, and that its secret can be read.

        :param option: that it stands in
        :raises ConfigurationError: it names the option, and nothing of a
            secret
        """
        check_url(option, self.url)
        if self.token_file and (self.username or self.password_file):
            raise errors.ConfigurationError(
                f'{option} has a token and a password: take one away'
            )
        if bool(self.username) != bool(self.password_file):
            raise errors.ConfigurationError(
                '[qga_http]username and password_file are set together'
            )
        try:
            secret = self.authorization()
        except errors.ServiceUnavailable as error:
            raise errors.ConfigurationError(str(error)) from None
        if secret and not self.url.lower().startswith('https:'):
            raise errors.ConfigurationError(
                f'{option} is no https: address, so its token or '
                'password could be read on the way: correct it'
            )

    def authorization(self) -> str | None:
        """Return the header's value; None where there is no secret.

        :raises ServiceUnavailable: the file cannot be read
        """
        if self.token_file:
            token = _read(self.token_file)
            if _ODD.search(token):
                raise _bad(self.token_file, 'it is no token')
            return f'Bearer {token}'
        if self.username:
            pair = f'{self.username}:{_read(self.password_file)}'
            return f'Basic {base64.b64encode(pair.encode()).decode()}'
        return None


def check_url(option: str, url: str) -> None:
    """Check an address.

    :raises ConfigurationError: it names the option, and not the address
    """
    try:
        parts = urllib.parse.urlsplit(url)
        fits = parts.scheme in ('http', 'https') and parts.hostname
        _ = parts.port
    except ValueError:
        fits = None
    if not fits or _ODD.search(url) or parts.fragment:
        raise errors.ConfigurationError(
            f'{option} is no address like https://host:port/path'
        )
    if '@' in parts.netloc:
        raise errors.ConfigurationError(
            f'{option} has a user name or a password in its address, which '
            'would be seen: put them into username and password_file'
        )


def _read(path: str) -> str:
    try:
        with open(path, encoding='utf-8') as file:
            secret = file.read(_LARGEST).strip()
    except OSError as error:
        raise _bad(path, str(error.strerror)) from None
    except ValueError:
        raise _bad(path, 'it is no text') from None
    if not secret or not secret.isprintable():
        raise _bad(path, 'it is empty, or has several lines')
    return secret


def _bad(path: str, why: str) -> errors.ServiceUnavailable:
    return errors.ServiceUnavailable(
        f'{path}, with a secret for [qga_http], cannot be used: {why}'
    )
