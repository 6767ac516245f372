#!/usr/bin/env python3
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

"""What the extension costs nova-compute for the XML of one guest.

The same guest's XML is made by Nova's own driver and by the extended one, in
turn, on Nova's own fake of libvirt. Needs Nova and the project installed.
"""

import argparse
import statistics

from nova_qga.tests.fixtures import nova_compute

UUID = '6f1b8c1e-4f0a-4f7d-9a9e-1a2b3c4d5e6f'


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--rounds', type=int, default=1000)
    rounds = parser.parse_args().rounds
    with nova_compute.NovaCompute() as nova:
        call = {'name': 'cost', 'uuid': UUID, 'rounds': rounds}
        [pairs] = nova.start(calls=(call,)).results
    with_it = statistics.median(pair['with'] for pair in pairs)
    without = statistics.median(pair['without'] for pair in pairs)
    extra = statistics.median(pair['with'] - pair['without'] for pair in pairs)
    print(
        f'one XML, median of {rounds}: '
        f'{without * 1000:.3f} ms by Nova alone, '
        f'{with_it * 1000:.3f} ms with the extension, '
        f'{extra * 1000:.3f} ms between the two in turn'
    )


if __name__ == '__main__':
    main()
