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

"""``execute``."""

from nova_qga.operations import execution
from nova_qga.rpc.catalog import base
from nova_qga.rpc import validation


def _check(given: base.Arguments, _: base.Limits) -> None:
    execution.check(given['command'], given['env'])


def _execute(context: base.Context, given: base.Arguments) -> base.Result:
    return execution.execute(
        context.agent(),
        command=given['command'],
        environment=given['env'],
        data=given['input'],
        capture=given['capture'],
        timeout=context.left(),
    )


EXECUTE = base.Operation(
    'execute',
    has_effect=True,
    arguments={
        'command': (
            validation.texts(execution.MAX_ARGUMENTS, execution.MAX_ARGUMENT),
            validation.REQUIRED,
        ),
        'env': (
            validation.texts(execution.MAX_VARIABLES, execution.MAX_VARIABLE),
            [],
        ),
        'input': (validation.content(execution.MAX_INPUT), b''),
        'capture': (validation.flag, True),
    },
    run=_execute,
    check=_check,
    off_by_default=True,
    needs=('guest-exec', 'guest-exec-status'),
)
