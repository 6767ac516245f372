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

"""Single values of a reply: what passes, and what only looks like it."""

import base64
import json
import unittest

import hypothesis
from hypothesis import strategies

from nova_qga import errors
from nova_qga.protocol import decoding
from nova_qga.protocol import reading

#: What stands where a value of another type belongs.
NOT_INTEGERS = ('5', True, False, 5.0, None, [5], {'5': 5}, -1, -(1 << 63))
NOT_STRINGS = (5, True, None, ['x'], {'x': 'x'}, 1.5)


class _Assertions(unittest.TestCase):
    def assert_refused(self, read, *args):
        with self.assertRaises(errors.InvalidReply) as caught:
            read(*args)
        return caught.exception


class IntegerTest(_Assertions):
    def test_an_unsigned_integer_of_64_bits_passes(self):
        for value in (0, 1, (1 << 63) - 1, 1 << 63, (1 << 64) - 1):
            with self.subTest(value=value):
                self.assertEqual(value, reading.uint({'n': value}, 'n'))

    def test_what_only_looks_like_one_does_not(self):
        for value in (*NOT_INTEGERS, 1 << 64, float('inf')):
            with self.subTest(value=value):
                self.assert_refused(reading.uint, {'n': value}, 'n')

    def test_a_missing_one_does_not(self):
        self.assert_refused(reading.uint, {}, 'n')

    def test_a_limit_is_the_last_that_passes(self):
        self.assertEqual(128, reading.uint({'n': 128}, 'n', 128))
        self.assert_refused(reading.uint, {'n': 129}, 'n', 128)

    def test_a_counter_with_the_sign_bit_of_a_route_passes(self):
        line = b'{"flags": 18446744071564165121}'
        self.assertEqual(
            18446744071564165121,
            reading.uint(decoding.decode(line), 'flags'),
        )

    def test_integers_of_many_digits_do_not(self):
        for digits in (20, 30, 300):
            line = b'{"n": %s}' % (b'9' * digits)
            with self.subTest(digits=digits):
                self.assert_refused(reading.uint, decoding.decode(line), 'n')


class IntegersTest(_Assertions):
    KEYS = ('a', 'b', 'c')

    def test_several_pass_in_the_order_of_their_keys(self):
        fields = {'c': 3, 'b': (1 << 64) - 1, 'a': 0, 'd': 'x'}
        self.assertEqual(
            [0, (1 << 64) - 1, 3], reading.uints(fields, self.KEYS)
        )

    def test_one_that_is_missing_or_null_is_none(self):
        self.assertEqual(
            [1, None, None], reading.uints({'a': 1, 'c': None}, self.KEYS)
        )
        self.assertEqual([None] * 3, reading.uints({}, self.KEYS))

    def test_one_that_is_wrong_spoils_them_all(self):
        for wrong in NOT_INTEGERS:
            if wrong is None:
                continue
            for others in ({'a': 1, 'b': 2}, {'a': 1}, {}):
                with self.subTest(wrong=wrong, others=others):
                    self.assert_refused(
                        reading.uints, {**others, 'c': wrong}, self.KEYS
                    )


class NumberTest(_Assertions):
    def test_integers_and_floats_pass_as_floats(self):
        for value in (0, 5, 5.5, -1.5, 1e300, 1 << 63):
            with self.subTest(value=value):
                number = reading.number({'n': value}, 'n')
                self.assertEqual((float, value), (type(number), number))

    def test_what_only_looks_like_one_does_not(self):
        for value in ('5', True, False, None, [5.0], {}):
            with self.subTest(value=value):
                self.assert_refused(reading.number, {'n': value}, 'n')
        self.assert_refused(reading.number, {}, 'n')


class BooleanTest(_Assertions):
    def test_true_and_false_pass_and_nothing_else(self):
        self.assertIs(True, reading.boolean({'b': True}, 'b'))
        self.assertIs(False, reading.boolean({'b': False}, 'b'))
        for value in (0, 1, 'true', 'false', None, [], 1.0):
            with self.subTest(value=value):
                self.assert_refused(reading.boolean, {'b': value}, 'b')
        self.assert_refused(reading.boolean, {}, 'b')


class StringTest(_Assertions):
    def test_ordinary_text_passes_unchanged(self):
        for value in ('', 'eth0', '/dev/vda1', 'Zażółć gęślą', 'a b'):
            with self.subTest(value=value):
                self.assertEqual(value, reading.string({'s': value}, 's'))

    def test_what_is_no_string_does_not_pass(self):
        for value in NOT_STRINGS:
            with self.subTest(value=value):
                self.assert_refused(reading.string, {'s': value}, 's')
        self.assert_refused(reading.string, {}, 's')

    def test_an_optional_one_may_be_missing_but_not_wrong(self):
        self.assertIsNone(reading.optional_string({}, 's'))
        self.assertEqual('x', reading.optional_string({'s': 'x'}, 's'))
        for value in NOT_STRINGS:
            with self.subTest(value=value):
                self.assert_refused(reading.optional_string, {'s': value}, 's')

    def test_a_string_of_megabytes_is_cut(self):
        value = reading.string({'s': 'x' * 4_000_000}, 's')
        self.assertEqual('x' * 256 + '...', value)

    def test_terminal_escapes_and_line_breaks_are_escaped(self):
        for value in (
            '\x1b[2J',
            '\x1b]52;c;cGF5bG9hZA==\x07',
            'a\nb',
            'a\r\nb',
            'a\x85b',
            'a\u2028b',
            'a\u2029b',
            'a\0b',
            'a\x7fb',
        ):
            with self.subTest(value=value):
                shown = reading.string({'s': value}, 's')
                self.assertTrue(shown.isprintable())
                self.assertEqual(1, len(shown.splitlines()))

    def test_marks_that_turn_text_around_are_escaped(self):
        for mark in '\u202a\u202b\u202d\u202e\u2066\u2067\u2069\u200f\ufeff':
            with self.subTest(mark=ascii(mark)):
                shown = reading.string({'s': f'a{mark}b'}, 's')
                self.assertEqual(ascii(f'a{mark}b')[1:-1], shown)

    def test_an_escape_that_the_guest_wrote_is_told_from_ours(self):
        self.assertNotEqual(
            reading.string({'s': '\x1b'}, 's'),
            reading.string({'s': '\\x1b'}, 's'),
        )

    def test_the_message_of_an_error_holds_nothing_of_the_guest(self):
        error = self.assert_refused(reading.string, {'s': ['\x1b[2J']}, 's')
        self.assertTrue(str(error).isprintable())
        self.assertNotIn('[2J', str(error))


class ListTest(_Assertions):
    def test_a_list_passes_up_to_its_limit(self):
        self.assertEqual([], reading.items([]))
        self.assertEqual(4096, len(reading.items([0] * 4096)))
        self.assert_refused(reading.items, [0] * 4097)
        self.assert_refused(reading.items, [0] * 3, 2)

    def test_what_is_no_list_does_not_pass(self):
        for value in ({}, {'0': 'x'}, 'abc', None, True, 5):
            with self.subTest(value=value):
                self.assert_refused(reading.items, value)

    def test_an_object_passes_as_a_record_and_nothing_else_does(self):
        self.assertEqual({'a': 1}, reading.record({'a': 1}))
        for value in ([], [['a', 1]], 'abc', None, True, 5):
            with self.subTest(value=value):
                self.assert_refused(reading.record, value)


class ContentTest(_Assertions):
    def read(self, text, limit=1000):
        return reading.content({'b': text}, 'b', limit)

    def test_base64_passes(self):
        self.assertEqual(b'', self.read(''))
        self.assertEqual(b'\0\xff\n', self.read('AP8K'))

    @hypothesis.given(data=strategies.binary(max_size=200))
    def test_any_bytes_pass_up_to_exactly_the_limit(self, data):
        text = base64.b64encode(data).decode()
        self.assertEqual(data, self.read(text, len(data)))
        if data:
            self.assert_refused(self.read, text, len(data) - 1)

    def test_what_is_no_base64_does_not(self):
        for name, text in {
            'a blank': 'AAAA AAAA',
            'a line break': 'AAAA\nAAAA',
            'a line break at the end': 'AAAA\n',
            'no padding': 'AAA',
            'one character': 'A',
            'only padding': '====',
            'padding alone behind it': 'AAAA=',
            'padding in the middle': 'AA==AAAA',
            'too much padding': 'AAAA====',
            'the alphabet of URLs': 'A-_A',
            'no ASCII': 'AAA\u0131',
            'NUL': 'AAA\0',
        }.items():
            with self.subTest(name):
                self.assert_refused(self.read, text)

    def test_what_is_no_string_does_not(self):
        for value in (*NOT_STRINGS, b'AAAA'):
            with self.subTest(value=value):
                self.assert_refused(self.read, value)
        self.assert_refused(reading.content, {}, 'b', 10)

    def test_more_than_was_asked_for_does_not(self):
        self.assert_refused(self.read, 'A' * 4_000_000)
        # Two bytes, where the same number of characters may hold one.
        self.assert_refused(self.read, 'AAA=', 1)
        self.assertEqual(b'\0', self.read('AA==', 1))

    def test_no_error_holds_the_content(self):
        error = self.assert_refused(self.read, 'czNjcmV0*')
        self.assertNotIn('czNjcmV0', str(error))
        self.assertTrue(error.__suppress_context__)


class AnyValueTest(unittest.TestCase):
    """Whatever JSON holds, a reader gives its type or InvalidReply."""

    VALUES = strategies.recursive(
        strategies.none()
        | strategies.booleans()
        | strategies.integers(-(1 << 63), (1 << 64) - 1)
        | strategies.floats(allow_nan=False, allow_infinity=False)
        | strategies.text(max_size=300),
        lambda inner: (
            strategies.lists(inner, max_size=3)
            | strategies.dictionaries(strategies.text(max_size=5), inner)
        ),
        max_leaves=5,
    )

    @hypothesis.settings(max_examples=300)
    @hypothesis.given(value=VALUES)
    def test_each_reader_keeps_its_word(self, value):
        for kind, read in {
            int: lambda: reading.uint({'x': value}, 'x'),
            float: lambda: reading.number({'x': value}, 'x'),
            bool: lambda: reading.boolean({'x': value}, 'x'),
            str: lambda: reading.string({'x': value}, 'x'),
            bytes: lambda: reading.content({'x': value}, 'x', 100),
            list: lambda: reading.items(value),
            dict: lambda: reading.record(value),
        }.items():
            try:
                self.assertIs(kind, type(read()), json.dumps(value))
            except errors.InvalidReply as error:
                self.assertTrue(str(error).isprintable())
