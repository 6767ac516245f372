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

"""``get_statvfs``, as a request asks for it."""

from nova_qga.rpc.catalog import base
from nova_qga.rpc import validation
from nova_qga_statvfs import operations


def _check(given: base.Arguments, _: base.Limits) -> None:
    operations.check_path(given['path'])


def _get(context: base.Context, given: base.Arguments) -> base.Result:
    return {**operations.get_statvfs(context.agent(), path=given['path'])}


GET_STATVFS = base.Operation(
    'get_statvfs',
    has_effect=False,
    arguments={
        'path': (validation.text(operations.MAX_PATH), validation.REQUIRED)
    },
    run=_get,
    check=_check,
    access=base.Access.AUDIT,
    needs=('guest-get-statvfs',),
)
