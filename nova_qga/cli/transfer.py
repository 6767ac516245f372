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

"""Carry a file in parts, each of them a request of its own.

It knows neither the guest nor the local file: only how parts follow one
another, and what to say where they stop.
"""

from collections.abc import Callable
from typing import BinaryIO

from nova_qga.cli import local_file
from nova_qga.cli import outcome
from nova_qga import errors

#: Bytes of one request: as many as agents take.
PART = 1024 * 1024

#: Writes bytes at an offset of the guest's file.
Send = Callable[[bytes, int], None]
#: Returns bytes from an offset on, and whether the file ends with them.
Receive = Callable[[int, int], tuple[bytes, bool]]
#: Is told how many bytes were carried so far.
Advance = Callable[[int], None]


def put(source: BinaryIO, send: Send, advance: Advance) -> int:
    """Send all that ``source`` holds, and return how many bytes that is.

    An empty source is sent too: it makes an empty file.

    :raises Failure: it stopped; the message says how far it came
    """
    done = 0
    try:
        while (part := source.read(PART)) or not done:
            send(part, done)
            done += len(part)
            advance(done)
            if not part:
                break
    except (outcome.Failure, errors.QgaError, OSError) as error:
        raise _stopped(error, done) from None
    except KeyboardInterrupt:
        if done:
            raise Interrupted(_so_far(done)) from None
        raise
    return done


def get(sink: local_file.Sink, receive: Receive, advance: Advance) -> int:
    """Receive a whole file into ``sink``, and return how many bytes it has.

    :raises Failure: it stopped
    """
    done = 0
    while True:
        part, ends = receive(done, PART)
        sink.write(part)
        done += len(part)
        if ends:
            return done
        if not part:
            raise outcome.Failure(
                'the guest says that the file goes on, and sends none of it',
                outcome.ExitCode.FAILED,
            )
        advance(done)


class Interrupted(KeyboardInterrupt):
    """Somebody pressed Ctrl-C after a part was written; it says how much."""


def _stopped(error: Exception, done: int) -> Exception:
    """Add how far it came to what happened, where it came anywhere."""
    written = done + int(getattr(error, 'done', 0))
    if not written:
        return error
    code = outcome.exit_code(error)
    return outcome.Failure(f'{error}. {_so_far(written)}', code, written)


def _so_far(done: int) -> str:
    return f'At least the first {done} bytes of it are in the guest'
