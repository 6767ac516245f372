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

"""Memory blocks: one that cannot be set costs no other."""

import unittest

from nova_qga import errors
from nova_qga.operations import memory_blocks
from nova_qga.tests.fixtures import scripted_guest


def response(index, word='success', **more):
    return {'phys-index': index, 'response': word, **more}


class SetTest(unittest.TestCase):
    def set(self, *responses, online):
        guest = scripted_guest.ScriptedGuest(
            {'guest-set-memory-blocks': list(responses)}
        )
        return memory_blocks.set_memory_blocks(guest, online=online)

    def test_one_that_cannot_be_set_costs_no_other(self):
        result = self.set(
            response(1, 'operation-failed', **{'error-code': 16}),
            response(2),
            response(3, 'not-found'),
            online={1: False, 2: False, 3: True},
        )
        self.assertEqual(
            {
                'set': 1,
                'failed': {
                    '1': 'operation-failed, error 16',
                    '3': 'not-found',
                },
            },
            result,
        )

    def test_where_none_can_be_it_has_failed(self):
        with self.assertRaisesRegex(errors.OperationFailed, 'not-found'):
            self.set(response(3, 'not-found'), online={3: True})

    def test_a_request_that_names_none_is_refused(self):
        with self.assertRaises(errors.InvalidRequest):
            self.set(online={})
