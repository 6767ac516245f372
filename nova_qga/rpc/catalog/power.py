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

"""``shutdown`` and ``suspend``."""

from nova_qga.operations import power
from nova_qga.rpc.catalog import base
from nova_qga.rpc import validation


def _shutdown(context: base.Context, given: base.Arguments) -> base.Result:
    return power.shutdown(
        context.agent(),
        mode=given['mode'],
        look=context.guest,
        left=context.left,
    )


def _suspend(context: base.Context, given: base.Arguments) -> base.Result:
    return power.suspend(
        context.agent(),
        mode=given['mode'],
        look=context.guest,
        left=context.left,
    )


SHUTDOWN = base.Operation(
    'shutdown',
    has_effect=True,
    arguments={'mode': (validation.one_of(*power.SHUTDOWNS), 'powerdown')},
    run=_shutdown,
    needs=('guest-shutdown',),
)
SUSPEND = base.Operation(
    'suspend',
    has_effect=True,
    arguments={'mode': (validation.one_of(*power.SUSPENDS), 'ram')},
    run=_suspend,
    # Of the other modes, each has a command of its own.
    needs=('guest-suspend-ram',),
)
