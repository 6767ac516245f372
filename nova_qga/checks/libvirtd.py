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

"""Does libvirt take us as the agent needs it?

By one real connection, like the agent's: a socket that accepts says nothing
of rights. It is closed at once.
"""

import threading

import libvirt

from nova_qga.checks import finding
from nova_qga import text

#: Seconds.
TIMEOUT = 10.0


def check(uri: str, timeout: float = TIMEOUT) -> list[finding.Finding]:
    """Connect.

    :param uri: ``[qga_agent]libvirt_uri``
    :param timeout: seconds
    """
    attempt = _Attempt(uri)
    if not attempt.ended.wait(timeout):
        return finding.failure(
            f'libvirt at {uri} does not answer within {timeout:.0f} s: look '
            "at libvirtd's log, and restart it if it hangs"
        )
    if attempt.error is not None:
        return finding.failure(
            f'libvirt at {uri} cannot be used ({attempt.error}): start '
            'libvirtd if it does not run, correct [qga_agent]libvirt_uri if '
            'that is wrong, run this as root, or give --controller on a host '
            'that runs no guests'
        )
    return finding.good(f'{uri} answers; it has {attempt.guests} guests')


class _Attempt:
    """One attempt, on a thread that cannot be ended where libvirtd hangs."""

    def __init__(self, uri: str) -> None:
        self.ended = threading.Event()
        self.error: str | None = None
        self.guests = 0
        self._uri = uri
        # Else libvirt prints what it also raises.
        libvirt.registerErrorHandler(lambda *_: None, None)
        threading.Thread(
            target=self._run, name='qga-libvirt', daemon=True
        ).start()

    def _run(self) -> None:
        try:
            connection = libvirt.open(self._uri)
            try:
                self.guests = len(connection.listAllDomains())
            finally:
                connection.close()
        except Exception as error:
            self.error = text.printable(str(error))
        finally:
            self.ended.set()
