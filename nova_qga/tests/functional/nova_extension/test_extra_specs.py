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


"""Tests of the extra specs in the process that checks them, nova-api."""

import json
import subprocess
import sys
import unittest

NAMES = ('qga:channel', 'qga:monitoring')

# What nova-api does with each extra spec of a flavor that is made.
_SCRIPT = """
import json, sys

from nova import exception
from nova.api.validation.extra_specs import validators

answers = []
for name, value in json.load(sys.stdin):
    try:
        validators.validate(name, value)
    except exception.ValidationError as error:
        answers.append(str(error))
    else:
        answers.append(None)
json.dump([answers, 'nova_qga.nova_extension.driver' in sys.modules],
          sys.stdout)
"""


class ExtraSpecsTest(unittest.TestCase):
    def validate(self, *specs):
        done = subprocess.run(
            [sys.executable, '-c', _SCRIPT],
            input=json.dumps(specs),
            capture_output=True,
            text=True,
        )
        self.assertEqual(0, done.returncode, done.stderr)
        answers, loaded = json.loads(done.stdout)
        self.assertFalse(loaded, 'what is for nova-compute alone was loaded')
        return answers

    def test_yes_and_no_are_taken_as_nova_takes_them(self):
        specs = [
            (name, value)
            for name in NAMES
            for value in ('yes', 'no', 'true', 'False', '1')
        ]
        self.assertEqual([None] * len(specs), self.validate(*specs))

    def test_anything_else_is_refused(self):
        for answer in self.validate(
            *((name, value) for name in NAMES for value in ('maybe', ''))
        ):
            self.assertIn('is not a valid boolean-like value', answer)

    def test_a_name_that_is_misspelt_is_refused(self):
        for name in ('qga:chanel', 'qga:monitor'):
            [answer] = self.validate((name, 'no'))
            self.assertIn(name, answer)

    def test_other_namespaces_are_as_they_were(self):
        self.assertEqual(
            [None, None],
            self.validate(('vendor:channel', 'x'), ('hw_rng:allowed', 'no')),
        )
