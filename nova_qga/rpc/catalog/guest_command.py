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

"""``run_command``."""

from nova_qga.operations import guest_command
from nova_qga.rpc.catalog import base
from nova_qga.rpc import validation

#: Of the arguments of a command: bytes as JSON, values, levels of nesting.
MAX_ARGUMENTS = 64 * 1024
MAX_VALUES = 1024
MAX_DEPTH = 8


def _check(given: base.Arguments, limits: base.Limits) -> None:
    guest_command.check(given['command'], limits.allowed_commands)


def _run(context: base.Context, given: base.Arguments) -> base.Result:
    return guest_command.run_command(
        context.agent(), name=given['command'], arguments=given['arguments']
    )


RUN_COMMAND = base.Operation(
    'run_command',
    has_effect=True,
    arguments={
        'command': (
            validation.text(guest_command.MAX_NAME),
            validation.REQUIRED,
        ),
        'arguments': (
            validation.json_object(MAX_ARGUMENTS, MAX_VALUES, MAX_DEPTH),
            {},
        ),
    },
    run=_run,
    check=_check,
    off_by_default=True,
)
