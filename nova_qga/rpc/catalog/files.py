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

"""``write_file`` and ``read_file``."""

import base64

from nova_qga import errors
from nova_qga.operations import file_attributes
from nova_qga.operations import files
from nova_qga.rpc.catalog import base
from nova_qga.rpc import validation

#: Bytes of a file in one request; longer ones are written in parts.
MAX_PART = 1024 * 1024

_PATH = (validation.text(files.MAX_PATH), validation.REQUIRED)
_NAME = (
    validation.optional(validation.text(file_attributes.MAX_NAME)),
    None,
)
_OFFSET = (validation.integer(0, files.MAX_OFFSET), 0)


def _check_write(given: base.Arguments, limits: base.Limits) -> None:
    end = given['offset'] + len(given['content'])
    size = given['size']
    file_attributes.check(_attributes(given), given['offset'])
    files.check_range(given['path'], given['offset'], len(given['content']))
    if size is not None and size < end:
        raise errors.InvalidRequest(
            f'this part ends at byte {end}, and the whole file would have '
            f'{size}: correct size, offset or content'
        )
    _check_size(max(end, size or 0), limits)


def _write(context: base.Context, given: base.Arguments) -> base.Result:
    return files.write_file(
        context.agent(),
        path=given['path'],
        data=given['content'],
        offset=given['offset'],
        verify=given['verify'],
        attributes=_attributes(given),
        best_effort=given['best_effort'],
        timeout=context.left(),
    )


def _attributes(given: base.Arguments) -> file_attributes.Attributes:
    return file_attributes.Attributes(
        given['mode'], given['owner'], given['group']
    )


def _check_read(given: base.Arguments, limits: base.Limits) -> None:
    files.check_range(given['path'], given['offset'], given['length'])
    _check_size(given['offset'], limits)


def _read(context: base.Context, given: base.Arguments) -> base.Result:
    limits = context.limits
    # One byte beyond the limit tells a file that is too large from one that
    # just ends there.
    allowed = limits.max_file_size - given['offset']
    part = files.read_file(
        context.agent(),
        path=given['path'],
        offset=given['offset'],
        length=min(given['length'], allowed + 1),
    )
    if len(part.data) > allowed:
        _check_size(limits.max_file_size + 1, limits)
    encoded = base64.b64encode(part.data).decode()
    return {'content': encoded, 'eof': part.eof}


def _check_size(size: int, limits: base.Limits) -> None:
    if size > limits.max_file_size:
        raise errors.InvalidRequest(
            f'the file has at least {size} bytes, and this host allows '
            f'{limits.max_file_size}: let the guest fetch it by itself, or '
            'have [qga_operations]max_file_size raised'
        )


WRITE_FILE = base.Operation(
    'write_file',
    has_effect=True,
    arguments={
        'path': _PATH,
        'content': (validation.content(MAX_PART), validation.REQUIRED),
        'offset': _OFFSET,
        'size': (
            validation.optional(validation.integer(0, files.MAX_OFFSET)),
            None,
        ),
        'verify': (validation.flag, False),
        'mode': (validation.optional(validation.text(4)), None),
        'owner': _NAME,
        'group': _NAME,
        'best_effort': (validation.flag, False),
    },
    run=_write,
    check=_check_write,
    access=base.Access.FILE_WRITE,
    needs=(
        'guest-file-open',
        'guest-file-write',
        'guest-file-flush',
        'guest-file-close',
    ),
)
READ_FILE = base.Operation(
    'read_file',
    has_effect=False,
    arguments={
        'path': _PATH,
        'offset': _OFFSET,
        'length': (validation.integer(1, MAX_PART), MAX_PART),
    },
    run=_read,
    check=_check_read,
    access=base.Access.FILE_READ,
    needs=('guest-file-open', 'guest-file-read', 'guest-file-close'),
)
