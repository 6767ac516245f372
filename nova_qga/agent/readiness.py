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

"""Tell systemd how far the service is (``Type=notify``).

Source: sd_notify(3). oslo.service's own can say READY only.
"""

import os
import socket


def notify(state: str) -> None:
    """Send ``READY=1`` or ``STOPPING=1`` where somebody waits for it."""
    path = os.environ.get('NOTIFY_SOCKET')
    if not path:
        return
    address = '\0' + path[1:] if path.startswith('@') else path
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as client:
        try:
            client.connect(address)
            client.sendall(state.encode())
        except OSError:
            # Who started us may have gone; that is no reason to stop.
            return
