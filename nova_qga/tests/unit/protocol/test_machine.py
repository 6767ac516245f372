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

"""Clock, processors, memory blocks and filesystems: what is read."""

from typing import Any
import unittest

from nova_qga import errors
from nova_qga.protocol import clock
from nova_qga.protocol import filesystems
from nova_qga.protocol import memory_blocks
from nova_qga.protocol import processors

#: What an agent of QEMU 7.2 answered, and what it means.
READ = (
    (clock.read_time, 1700000000123456000, 1700000000123456000),
    (clock.read_time, -5, -5),
    (
        processors.read_processors,
        [
            {'online': True, 'can-offline': False, 'logical-id': 0},
            {'online': False, 'logical-id': 1},
        ],
        (
            processors.Processor(0, True, False),
            processors.Processor(1, False, None),
        ),
    ),
    (processors.read_count, 2, 2),
    (
        memory_blocks.read_blocks,
        [{'online': True, 'can-offline': True, 'phys-index': 3}],
        (memory_blocks.Block(3, True, True),),
    ),
    (memory_blocks.read_size, {'size': 134217728}, 134217728),
    (
        memory_blocks.read_responses,
        [
            {'phys-index': 3, 'response': 'success'},
            {
                'phys-index': 4,
                'response': 'operation-failed',
                'error-code': 16,
            },
        ],
        (
            memory_blocks.Response(3, 'success', None),
            memory_blocks.Response(4, 'operation-failed', 16),
        ),
    ),
    (filesystems.read_count, 1, 1),
    (
        filesystems.read_trimmed,
        {
            'paths': [
                {'path': '/mnt', 'minimum': 0, 'trimmed': 4096},
                {'path': '/boot', 'error': 'not supported'},
            ]
        },
        (
            filesystems.Trimmed('/mnt', 4096, None),
            filesystems.Trimmed('/boot', None, 'not supported'),
        ),
    ),
)

WRONG: tuple[tuple[Any, Any], ...] = (
    (clock.read_time, 1.5),
    (clock.read_time, 1 << 63),
    (clock.read_time, True),
    (clock.read_time, {}),
    (processors.read_processors, {}),
    (processors.read_processors, [{'online': 1, 'logical-id': 0}]),
    (processors.read_processors, [{'online': True, 'logical-id': -1}]),
    (processors.read_count, -1),
    (processors.read_count, '1'),
    (memory_blocks.read_blocks, [{'phys-index': 0}]),
    (memory_blocks.read_size, 5),
    (memory_blocks.read_responses, [{'phys-index': 0, 'response': 1}]),
    (filesystems.read_count, True),
    (filesystems.read_trimmed, {'paths': {}}),
    (filesystems.read_trimmed, {'paths': [{'trimmed': 1}]}),
    (filesystems.read_trimmed, []),
)


class ReadTest(unittest.TestCase):
    def test_what_real_agents_say_is_read(self):
        for read, reply, meaning in READ:
            with self.subTest(read=read.__name__):
                self.assertEqual(meaning, read(reply))

    def test_anything_else_is_refused(self):
        for read, reply in WRONG:
            with self.subTest(read=read.__name__, reply=reply):
                with self.assertRaises(errors.InvalidReply):
                    read(reply)

    def test_what_is_set_is_sent_in_its_order(self):
        asked = processors.set_vcpus({3: False, 1: True})
        self.assertEqual(
            {
                'vcpus': [
                    {'logical-id': 3, 'online': False},
                    {'logical-id': 1, 'online': True},
                ]
            },
            asked.arguments,
        )

    def test_only_what_reads_has_no_effect(self):
        for asked, has_effect in (
            (clock.get_time(), False),
            (clock.set_time(None), True),
            (processors.get_vcpus(), False),
            (processors.set_vcpus({1: True}), True),
            (memory_blocks.get_memory_blocks(), False),
            (memory_blocks.set_memory_blocks({1: True}), True),
            (filesystems.freeze(), True),
            (filesystems.freeze(['/']), True),
            (filesystems.thaw(), True),
            (filesystems.trim(0), True),
        ):
            with self.subTest(command=asked.name):
                self.assertEqual(has_effect, asked.has_effect)
