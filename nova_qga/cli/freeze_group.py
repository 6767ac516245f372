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

"""Freeze several guests in their order: all of them, or none.

It knows no host: only in which order guests are frozen and thawed, and what
to say where one is not.
"""

from collections.abc import Callable, Mapping, Sequence
import time
from typing import Any, TYPE_CHECKING

from nova_qga.cli import outcome
from nova_qga import errors

if TYPE_CHECKING:
    from nova_qga.cli import target as cli_target

Result = Mapping[str, Any]


def freeze(
    targets: 'Sequence[cli_target.Target]',
    freeze_one: 'Callable[[cli_target.Target], Result]',
    thaw_one: 'Callable[[cli_target.Target], object]',
    duration: float,
) -> list[Result]:
    """Freeze guests, and return what came of each.

    Where one is not frozen, or not known to be, those before it are thawed,
    the last one first; and all are where the first may be thawed already.

    :param duration: seconds for which each stays frozen
    :raises Failure, QgaError: one was not, and what became of the others
    """
    began = time.monotonic()
    results: list[Result] = []
    for number, target in enumerate(targets):
        try:
            results.append(freeze_one(target))
        except BaseException as error:
            if not number:
                raise
            code = None
            if isinstance(error, outcome.Failure | errors.QgaError):
                code = outcome.exit_code(error)
            back = list(reversed(targets[:number]))
            if code in (outcome.ExitCode.UNKNOWN, None):
                back.insert(0, target)
            said = _thaw_all(back, thaw_one)
            if code is None:
                raise
            raise outcome.Failure(
                f'{target.instance} could not be frozen: {error}. {said}', code
            ) from None
    took = time.monotonic() - began
    if len(targets) > 1 and took >= duration:
        said = _thaw_all(list(reversed(targets)), thaw_one)
        raise outcome.Failure(
            f'freezing all of them took {took:.0f} s, and the first may be '
            f'thawed already: give a longer --for. {said}',
            outcome.ExitCode.FAILED,
        )
    return results


def _thaw_all(
    targets: 'Sequence[cli_target.Target]',
    thaw_one: 'Callable[[cli_target.Target], object]',
) -> str:
    """Thaw guests, and return in words what came of it."""
    left = []
    for target in targets:
        try:
            thaw_one(target)
        except (outcome.Failure, errors.QgaError) as error:
            left.append(f'{target.instance}: {error}')
    done, wanted = len(targets) - len(left), len(targets)
    said = f'{done} of {wanted} {"was" if done == 1 else "were"} thawed again'
    if not left:
        return said
    return (
        f'{said}; their hosts thaw the others when their time is over: '
        + '; '.join(left)
    )
