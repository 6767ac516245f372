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

"""What is sealed is read by one host, for one use."""

import datetime
import hashlib
import unittest

import hypothesis
from hypothesis import strategies
from nacl import public

from nova_qga import errors
from nova_qga.rpc import sealing

SECRET = 'hunter2 pâss ☃'
NOON = datetime.datetime(2026, 11, 24, 12, tzinfo=datetime.UTC)
BINDING = sealing.Binding('uuid', 'Admin', 'r1', NOON)

TEXT = strategies.text(max_size=40)


class SealingTest(unittest.TestCase):
    def setUp(self):
        pair = public.PrivateKey.generate()
        self.private = bytes(pair)
        self.public = bytes(pair.public_key)

    def seal(self, secret=SECRET, binding=BINDING):
        return sealing.seal(self.public, secret, binding)

    def refuse(self, words, sealed, binding=BINDING, private=None):
        with self.assertRaisesRegex(errors.InvalidRequest, words) as caught:
            sealing.unseal(private or self.private, sealed, binding)
        error = caught.exception
        self.assertIsNone(error.__cause__)
        self.assertTrue(error.__suppress_context__ or not error.__context__)
        for part in ('hunter2', 'pâss', 'unter'):
            self.assertNotIn(part, str(error))
        return str(error)

    @hypothesis.given(TEXT, TEXT, TEXT, TEXT)
    def test_what_is_sealed_is_opened(self, secret, uuid, username, request):
        binding = sealing.Binding(uuid, username, request, NOON)
        sealed = self.seal(secret, binding)
        self.assertEqual(secret, sealing.unseal(self.private, sealed, binding))

    def test_the_box_does_not_hold_it_nor_tell_its_length(self):
        short, long = self.seal('s'), self.seal('s' * 60)
        self.assertEqual(len(short), len(long))
        self.assertNotIn(b'hunter2', self.seal())
        self.assertNotEqual(self.seal(), self.seal())

    def test_another_use_is_refused(self):
        sealed = self.seal()
        later = NOON + datetime.timedelta(milliseconds=1)
        for binding in (
            sealing.Binding('other', 'Admin', 'r1', NOON),
            sealing.Binding('uuid', 'root', 'r1', NOON),
            sealing.Binding('uuid', 'Admin', 'r2', NOON),
            sealing.Binding('uui', 'dAdmin', 'r1', NOON),
            sealing.Binding('uuid', 'Adminr', '1', NOON),
            sealing.Binding('uuid', 'Admin', 'r1', later),
            sealing.Binding('\ud800', '\ud800', '\ud800', NOON),
        ):
            with self.subTest(binding=binding):
                self.refuse('another guest, account', sealed, binding)

    def test_a_box_that_is_made_as_documented_is_opened(self):
        given = b''.join(
            len(part).to_bytes(8, 'big') + part
            for part in (b'uuid', b'Admin', b'r1', b'1795521600000')
        )
        inner = hashlib.sha256(given).digest()
        digest = hashlib.sha256(b'nova-qga set_password 1' + inner).digest()
        padded = b'hunter2\x80'.ljust(128, b'\0')
        box = public.SealedBox(public.PublicKey(self.public))
        sealed = box.encrypt(digest + padded)
        self.assertEqual(
            'hunter2', sealing.unseal(self.private, sealed, BINDING)
        )

    def test_another_host_cannot_open_it(self):
        other = bytes(public.PrivateKey.generate())
        self.refuse('cannot be opened', self.seal(), private=other)

    def test_what_is_damaged_is_refused_in_the_same_words(self):
        sealed = self.seal()
        found = set()
        for position in range(len(sealed)):
            damaged = bytearray(sealed)
            damaged[position] ^= 1
            found.add(self.refuse('cannot be opened', bytes(damaged)))
        for damaged in (b'', b'x', sealed[1:], sealed[:-1], sealed + b'x'):
            found.add(self.refuse('cannot be opened', damaged))
        self.assertEqual(1, len(found))

    def test_what_holds_no_text_is_refused_without_a_word_of_it(self):
        box = public.SealedBox(public.PublicKey(self.public))
        for padded in (
            b'',
            b'hunter2',
            b'hunter2' + bytes(121),
            b'hunter2\xff\x80' + bytes(119),
        ):
            with self.subTest(padded=padded):
                sealed = box.encrypt(BINDING.digest() + padded)
                self.refuse('no padded text', sealed)
        self.refuse('another guest', box.encrypt(b'hunter2'))

    def test_what_cannot_be_sealed_is_not_told(self):
        for secret in ('hunter2\ud800', 'hunter2' * 1000):
            with self.subTest(secret=secret[:7]):
                with self.assertRaises(errors.InvalidRequest) as caught:
                    self.seal(secret)
                self.assertNotIn('hunter2', str(caught.exception))
                self.assertTrue(
                    caught.exception.__suppress_context__
                    or not caught.exception.__context__
                )

    def test_nothing_is_sealed_to_what_is_no_key(self):
        # The last one is a point of small order: the secret would be open.
        for key in (b'', b'x' * 31, b'x' * 33, bytes(32)):
            with self.subTest(key=key):
                with self.assertRaisesRegex(
                    errors.InvalidRequest, 'no public key'
                ):
                    sealing.seal(key, SECRET, BINDING)

    def test_the_longest_password_fits_the_largest_box(self):
        sealed = self.seal('☃' * 512)
        self.assertLessEqual(len(sealed), sealing.MAX_SEALED)
        self.assertEqual(
            sealing.MAX_SEALED, len(self.seal('x' * sealing.MAX_SECRET))
        )
