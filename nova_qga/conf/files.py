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

"""Which files are read where nobody names one.

Nothing is read here: oslo.config does that.
"""

from collections.abc import Iterable
import pathlib

from nova_qga import errors

#: The broker's settings are Nova's.
DEFAULT = ('/etc/nova/nova.conf', '/etc/nova-qga/nova-qga.conf')


def existing(paths: Iterable[str] = DEFAULT) -> list[str]:
    """Return those of the files that exist.

    :raises ConfigurationError: a folder does not let us look
    """
    found = []
    for path in paths:
        try:
            pathlib.Path(path).stat()
        except (FileNotFoundError, NotADirectoryError):
            continue
        except OSError as error:
            raise errors.ConfigurationError(
                f'cannot look for {path}: {error.strerror}. '
                f'{_who_may(pathlib.Path(path).parent)}or name other files '
                'with --config-file'
            ) from None
        found.append(path)
    return found


def _who_may(folder: pathlib.Path) -> str:
    try:
        owner, group = folder.owner(), folder.group()
    except (OSError, KeyError):
        return 'Run this as root, '
    return (
        f'{folder} can be read by root, its owner {owner} and maybe its '
        f'group {group}: run this as one of them, '
    )
