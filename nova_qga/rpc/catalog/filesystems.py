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

"""``trim``."""

from nova_qga.operations import trim
from nova_qga.rpc.catalog import base
from nova_qga.rpc import validation

_MAX_MINIMUM = (1 << 63) - 1


def _trim(context: base.Context, given: base.Arguments) -> base.Result:
    return trim.trim(context.agent(), minimum=given['minimum'])


TRIM = base.Operation(
    'trim',
    has_effect=True,
    arguments={'minimum': (validation.integer(0, _MAX_MINIMUM), 0)},
    run=_trim,
    access=base.Access.FILESYSTEM_MANAGEMENT,
    needs=('guest-fstrim',),
)
