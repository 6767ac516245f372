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

"""List a guest's processors, and set them on- or offline.

Processor 0 is never set offline: Linux cannot do without it on most machines,
and a guest without its last processor is no guest.

Source: qga/commands-posix.c of QEMU 10.0, qmp_guest_set_vcpus(), which stops
at the first that it cannot set.
"""

from collections.abc import Mapping
from typing import Any

from nova_qga import errors
from nova_qga.operations import agent as operations_agent
from nova_qga.protocol import processors

#: Processors in one request.
MOST = 1024


def check(online: Mapping[int, bool]) -> None:
    """Refuse what no guest can do.

    :raises InvalidRequest: the message says what
    """
    if not online:
        raise errors.InvalidRequest('name at least one processor')
    if online.get(0) is False:
        raise errors.InvalidRequest('processor 0 cannot be set offline')


def get_vcpus(agent: operations_agent.Agent) -> list[dict[str, Any]]:
    """Return the processors: ``logical_id``, ``online``, ``can_offline``.

    In the order of their ids; agents have them in any.
    """
    asked = processors.get_vcpus()
    agent.require(asked.name)
    found = agent.execute(asked)
    return [each._asdict() for each in sorted(found)]


def set_vcpus(
    agent: operations_agent.Agent, *, online: Mapping[int, bool]
) -> dict[str, Any]:
    """Set processors on- or offline, each that can be.

    :param online: logical id -> whether
    :returns: ``set``, how many; ``failed``, id -> why
    :raises OperationFailed: none could be
    :raises OutcomeUnknown: some may have been
    """
    check(online)
    agent.require('guest-set-vcpus')
    left = dict(online)
    failed: dict[str, str] = {}
    done = 0
    while left:
        try:
            count = min(agent.execute(processors.set_vcpus(left)), len(left))
        except errors.CommandError as error:
            # It is the first that it refuses; none was done before.
            count, why = 0, str(error)
        except errors.QgaError as error:
            if not done:
                raise
            raise _interrupted(done, len(online), error) from None
        else:
            why = 'the guest stopped at it'
        done += count
        for number in list(left)[:count]:
            del left[number]
        if left:
            # Go on with those behind the one that cannot be.
            number = next(iter(left))
            del left[number]
            failed[str(number)] = why
    if not done:
        first, why = next(iter(failed.items()))
        raise errors.OperationFailed(f'no processor was set; {first}: {why}')
    return {'set': done, 'failed': failed}


def _interrupted(
    done: int, of: int, error: errors.QgaError
) -> errors.QgaError:
    message = f'{done} of {of} processors were set, then: {error}'
    if isinstance(error, errors.OutcomeUnknown):
        return errors.OutcomeUnknown(message)
    return errors.OperationFailed(message, done=done)
