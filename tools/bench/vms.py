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

"""Start the real guests that the benchmark asks, behind a real libvirtd.

They are the project's test guests: QEMU with no KVM, a qemu-ga on the
standard channel and one on the direct channel. Needs root.
"""

from collections.abc import Iterator
import contextlib
import pathlib

from nova_qga.tests.fixtures import guest_vm
from nova_qga.tests.fixtures import libvirtd


@contextlib.contextmanager
def guests(
    host: libvirtd.Libvirtd, folder: pathlib.Path, count: int
) -> Iterator[None]:
    """Boot ``count`` guests.

    :param folder: gets <i>.sock, links to the direct channels
    """
    with contextlib.ExitStack() as stack:
        machines = [
            guest_vm.GuestVM(host, name=f'instance-{i:08x}', boot=False)
            for i in range(count)
        ]
        for number, machine in enumerate(machines):
            stack.enter_context(machine)
            machine.start()
            link = folder / f'{number}.sock'
            link.symlink_to(machine.direct_socket)
        for machine in machines:
            machine.wait_for_agents()
        yield
