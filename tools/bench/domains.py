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

"""Write the file behind a ``test:///<file>`` libvirt with many guests.

libvirt's own test driver reads it, so the real agent code finds the guests,
their direct channels and their owners through the real libvirt API, with no
VM. What it says of a guest is what Nova writes into a domain's XML.
"""

import argparse
import pathlib
import uuid

CHANNEL = 'org.qemu.guest_agent.1'
NAMESPACE = uuid.UUID('6b1d5a0e-3c57-4f0e-9a57-0d6f4c9f2b11')

_DOMAIN = """\
<domain type='test'>
  <name>instance-{number:08x}</name>
  <uuid>{uuid}</uuid>
  <metadata>
    <nova:instance xmlns:nova='http://openstack.org/xmlns/libvirt/nova/1.1'>
      <nova:package version='34.0.0'/>
      <nova:name>server-{number}</nova:name>
      <nova:creationTime>2026-01-01 00:00:00</nova:creationTime>
      <nova:flavor name='m1.small'>
        <nova:memory>2048</nova:memory>
        <nova:disk>20</nova:disk>
        <nova:swap>0</nova:swap>
        <nova:ephemeral>0</nova:ephemeral>
        <nova:vcpus>2</nova:vcpus>
      </nova:flavor>
      <nova:owner>
        <nova:user uuid='8d1c4b1e5f7a4c0e9a3b6d2f1e0c9b8a'>demo</nova:user>
        <nova:project uuid='{project}'>project</nova:project>
      </nova:owner>
    </nova:instance>
  </metadata>
  <memory unit='MiB'>2048</memory>
  <vcpu>2</vcpu>
  <os><type>hvm</type></os>
  <devices>{channel}</devices>
</domain>
"""
_CHANNEL = """
    <channel type='unix'>
      <source mode='bind' path='{socket}'/>
      <target type='virtio' name='{name}'/>
    </channel>
  """


def xml(number: int, socket: pathlib.Path | None, identity: str = '') -> str:
    """Return the definition of one guest.

    :param socket: of its direct channel; None for a guest without one
    :param identity: its UUID, where it is not that of its number
    """
    channel = ''
    if socket is not None:
        channel = _CHANNEL.format(socket=socket, name=CHANNEL)
    return _DOMAIN.format(
        number=number,
        uuid=identity or uuid.uuid5(NAMESPACE, str(number)),
        project=uuid.uuid5(NAMESPACE, f'project-{number % 20}').hex,
        channel=channel,
    )


def write(
    path: pathlib.Path, sockets: pathlib.Path, count: int, silent_every: int
) -> None:
    """Write ``count`` running guests whose channels are <i>.sock.

    :param silent_every: every so manieth has no channel; 0 for none
    """
    domains = []
    for number in range(count):
        silent = silent_every and number % silent_every == silent_every - 1
        socket = None if silent else sockets / f'{number}.sock'
        domains.append(xml(number, socket))
    path.write_text('<node>\n' + ''.join(domains) + '</node>\n')


def main() -> None:
    """Write the file that the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('file', type=pathlib.Path)
    parser.add_argument('sockets', type=pathlib.Path)
    parser.add_argument('count', type=int)
    args = parser.parse_args()
    write(args.file, args.sockets, args.count, 0)


if __name__ == '__main__':
    main()
