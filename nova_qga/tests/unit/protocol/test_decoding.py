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

"""What the decoder takes of a guest's line, and what it refuses.

A real agent's lines must come through unchanged; whatever another sender may
put in their place must end in MalformedMessage and nothing else. The last
part looks, with lines made at random, for a repeated key that gets through.
"""

import json
import math
import sys
import traceback
import unittest

import hypothesis
from hypothesis import strategies

from nova_qga import errors
from nova_qga.protocol import decoding


class _Assertions(unittest.TestCase):
    def assert_refused(self, line):
        with self.assertRaises(errors.MalformedMessage) as caught:
            decoding.decode(line)
        return caught.exception


class AcceptedTest(unittest.TestCase):
    def test_an_empty_result_is_decoded(self):
        self.assertEqual({'return': {}}, decoding.decode(b'{"return": {}}'))

    def test_an_error_is_decoded(self):
        self.assertEqual(
            {'error': {'class': 'GenericError', 'desc': 'no such file'}},
            decoding.decode(
                b'{"error": {"class": "GenericError", "desc": "no such file"}}'
            ),
        )

    def test_blanks_around_and_within_an_object_are_nothing(self):
        line = b' \t{ "return"\t: [ 1 ,\r2 ] } \r'
        self.assertEqual({'return': [1, 2]}, decoding.decode(line))

    def test_integers_of_64_bits_are_exact(self):
        for text in (
            '9223372036854775807',
            '-9223372036854775808',
            '18446744073709551615',
            '18446744071564165121',
        ):
            with self.subTest(text=text):
                value = decoding.decode(b'{"return": %s}' % text.encode())
                self.assertEqual(text, str(value['return']))

    def test_text_in_any_script_comes_through(self):
        line = '{"return": "\u0444\u30c6\U0001f600"}'.encode()
        self.assertEqual(
            '\u0444\u30c6\U0001f600', decoding.decode(line)['return']
        )

    def test_escapes_in_a_string_are_resolved(self):
        line = rb'{"return": "a\"b\\c\u001b\ud83d\ude00"}'
        self.assertEqual(
            'a"b\\c\x1b\U0001f600', decoding.decode(line)['return']
        )

    def test_the_same_key_in_two_objects_is_no_repetition(self):
        line = rb'{"return": [{"name": "a\\"}, {"name": "b"}], "name": 1}'
        self.assertEqual('b', decoding.decode(line)['return'][1]['name'])


class GrammarTest(_Assertions):
    def test_what_is_no_object_is_refused(self):
        for line in (
            b'[1, 2]',
            b'[{"return": 1}]',
            b'"return"',
            b'5',
            b'null',
            b'true',
        ):
            with self.subTest(line=line):
                self.assert_refused(line)

    def test_what_is_no_json_is_refused(self):
        for line in (
            b'',
            b' ',
            b'hello world',
            b'{"return": 1',
            b'{"return": 1,}',
            b'{"return": 01}',
            b'{"return": +1}',
            b'{"return": .5}',
            b'{"return": 0x10}',
            b"{'return': 1}",
            b'{return: 1}',
            b'{"return": 1} // fine',
            b'{"return": True}',
            b'{"return": "a\tb"}',
            b'{"return": "a\nb"}',
            b'\x0b{"return": 1}',
            b'{"return": 1}\xc2\xa0',
        ):
            with self.subTest(line=line):
                self.assert_refused(line)

    def test_a_second_object_on_the_line_is_refused(self):
        self.assert_refused(b'{"return": 1} {"return": 2}')
        self.assert_refused(b'{"return": 1}{"return": 2}')

    def test_a_nul_byte_is_refused_wherever_it_stands(self):
        for line in (
            b'\0{"return": 1}',
            b'{"return": 1}\0',
            b'{"return": "a\0b"}',
            b'{"return"\0: 1}',
            b'\0',
        ):
            with self.subTest(line=line):
                self.assert_refused(line)

    def test_0xff_is_refused_wherever_it_stands(self):
        self.assert_refused(b'\xff{"return": 1}')
        self.assert_refused(b'{"return": "\xff"}')


class EncodingTest(_Assertions):
    def test_bad_utf8_is_refused(self):
        for name, text in {
            'a byte that never occurs': b'\xfe',
            'a continuation with no start': b'\x80',
            'a start with no continuation': b'\xc3',
            'an overlong slash': b'\xc0\xaf',
            'an overlong NUL': b'\xc0\x80',
            'a surrogate': b'\xed\xa0\x80',
            'over the last code point': b'\xf4\x90\x80\x80',
        }.items():
            with self.subTest(name):
                self.assert_refused(b'{"return": "%s"}' % text)
                self.assert_refused(b'{"%s": 1, "return": 1}' % text)

    def test_a_byte_order_mark_is_refused(self):
        self.assert_refused(b'\xef\xbb\xbf{"return": 1}')

    def test_other_encodings_are_refused(self):
        for encoding in (
            'utf-16',
            'utf-16-le',
            'utf-16-be',
            'utf-32',
            'utf-32-be',
        ):
            with self.subTest(encoding=encoding):
                self.assert_refused('{"return": 1}'.encode(encoding))

    def test_a_lone_surrogate_is_refused_where_it_is_escaped(self):
        for line in (
            rb'{"return": "\ud800"}',
            rb'{"return": "\udc00\ud800"}',
            rb'{"return": "\ud800x"}',
            rb'{"\ud800": 1, "return": 1}',
        ):
            with self.subTest(line=line):
                self.assert_refused(line)

    def test_no_error_quotes_the_line(self):
        for line in (
            b'{"return": czNjcmV0}',
            b'["czNjcmV0"]',
            b'{"czNjcmV0": 1, "czNjcmV0": 2}',
            b'{"return": "czNjcmV0\xff"}',
            b'{"czNjcmV0": %s}' % (b'[' * 40 + b']' * 40),
        ):
            with self.subTest(line=line):
                error = self.assert_refused(line)
                shown = ''.join(traceback.format_exception(error))
                self.assertNotIn('czNjcmV0', shown)


class NumberTest(_Assertions):
    def test_what_is_no_number_is_refused(self):
        for text in (b'NaN', b'Infinity', b'-Infinity', b'nan', b'inf'):
            with self.subTest(text=text):
                self.assert_refused(b'{"return": %s}' % text)

    def test_numbers_past_a_double_are_refused(self):
        for text in (b'1e400', b'-1e400', b'9' * 400):
            with self.subTest(text=text):
                self.assert_refused(b'{"return": %s}' % text)

    def test_an_integer_of_5000_digits_is_refused(self):
        self.assert_refused(b'{"return": %s}' % (b'1' * 5000))
        # Where the line is looked at more closely, too.
        self.assert_refused(rb'{"return": %s, "\\": 1}' % (b'1' * 5000))

    def test_an_integer_past_64_bits_is_never_an_integer(self):
        for text in (
            b'18446744073709551616',
            b'-9223372036854775809',
            b'9' * 30,
            b'9' * 300,
        ):
            with self.subTest(text=text):
                value = decoding.decode(b'{"return": %s}' % text)['return']
                self.assertIs(float, type(value))
                self.assertTrue(math.isfinite(value))


class DepthTest(_Assertions):
    def nested(self, depth, opening=b'[', closing=b']', inner=b''):
        """An object that is ``depth`` containers deep, itself the first."""
        return b'{"return": %s%s%s}' % (
            opening * (depth - 1),
            inner,
            closing * (depth - 1),
        )

    def test_lists_may_nest_as_deep_as_is_said_and_no_deeper(self):
        decoding.decode(self.nested(decoding.MAX_DEPTH))
        self.assert_refused(self.nested(decoding.MAX_DEPTH + 1))

    def test_objects_may_nest_as_deep_as_is_said_and_no_deeper(self):
        for extra in (0, 1):
            line = self.nested(
                decoding.MAX_DEPTH + extra, b'{"a": ', b'}', b'1'
            )
            with self.subTest(extra=extra):
                if extra:
                    self.assert_refused(line)
                else:
                    decoding.decode(line)

    def test_a_deep_value_beside_flat_ones_is_found(self):
        deep = b'[' * 40 + b']' * 40
        self.assert_refused(b'{"a": [], "b": [1, {"c": %s}], "d": 1}' % deep)

    def test_many_flat_objects_are_not_deep(self):
        line = b'{"return": [%s]}' % b','.join([b'{"a": []}'] * 100)
        self.assertEqual(100, len(decoding.decode(line)['return']))

    def test_brackets_in_a_string_are_not_deep(self):
        self.assertEqual(
            '[' * 100, decoding.decode(b'{"a": "%s"}' % (b'[' * 100))['a']
        )

    def test_100000_brackets_are_refused_at_any_recursion_limit(self):
        limit = sys.getrecursionlimit()
        self.addCleanup(sys.setrecursionlimit, limit)
        for line in (
            b'[' * 100_000,
            b'{"return": ' + b'[' * 60_000,
            self.nested(60_000 // 2),
            self.nested(9_000, b'{"a":', b'}', b'1'),
        ):
            for allowed in (limit, 100_000):
                with self.subTest(line=line[:20], allowed=allowed):
                    sys.setrecursionlimit(allowed)
                    self.assert_refused(line)


class ElementTest(_Assertions):
    def test_a_list_of_a_million_is_refused(self):
        self.assert_refused(b'{"return": [%s0]}' % (b'0,' * 999_999))

    def test_an_object_of_a_million_keys_is_refused(self):
        members = b','.join(b'"%d":0' % i for i in range(1_000_000))
        self.assert_refused(b'{"return": {%s}}' % members)

    def test_as_many_elements_as_is_said_are_accepted(self):
        # The object, the list, and one comma fewer than there are zeros.
        count = decoding.MAX_ELEMENTS - 1
        line = b'{"return": [%s]}' % b','.join([b'0'] * count)
        self.assertEqual(count, len(decoding.decode(line)['return']))
        self.assert_refused(line.replace(b']', b',0]'))

    def test_lists_within_lists_do_not_hide_elements(self):
        # Few commas, and a hundred bytes of memory for two on the wire.
        nest = b'[' * 20 + b']' * 20
        line = b'{"return": [%s]}' % b','.join([nest] * 20_000)
        self.assert_refused(line)

    def test_objects_within_objects_do_not_hide_elements(self):
        nest = b'{"a":' * 20 + b'1' + b'}' * 20
        line = b'{"return": [%s]}' % b','.join([nest] * 20_000)
        self.assert_refused(line)

    def test_a_reply_for_4096_cpus_is_accepted(self):
        cpu = {'type': 'linux', 'cpu': 1, 'user': 1, 'nice': 1, 'system': 1}
        cpu |= {'idle': 1, 'iowait': 1, 'irq': 1, 'softirq': 1, 'steal': 1}
        cpu |= {'guest': 1, 'guestnice': 1}
        line = json.dumps({'return': [cpu] * 4096}).encode()
        self.assertEqual(4096, len(decoding.decode(line)['return']))


class RepeatedKeyTest(_Assertions):
    def test_a_repeated_key_is_refused(self):
        self.assert_refused(b'{"return": 1, "return": 2}')

    def test_a_key_repeated_with_the_same_value_is_refused(self):
        self.assert_refused(b'{"return": 1, "return": 1}')

    def test_a_key_repeated_in_an_inner_object_is_refused(self):
        self.assert_refused(b'{"return": [{"a": {"b": 1, "b": 1}}]}')

    def test_a_repetition_within_a_value_that_is_replaced_is_refused(self):
        self.assert_refused(b'{"a": {"b": 1, "b": 1}, "a": 1}')

    def test_an_empty_key_may_not_be_repeated(self):
        self.assert_refused(b'{"": 1, "": 2}')

    def test_a_repetition_hidden_by_an_escape_is_refused(self):
        self.assert_refused(rb'{"return": 1, "r\u0065turn": 2}')
        self.assert_refused(rb'{"r\u0065turn": 1, "\u0072eturn": 2}')
        self.assert_refused(rb'{"a/": 1, "a\/": 2}')

    def test_a_repetition_hidden_by_blanks_is_refused(self):
        for blank in (b' ', b'\t', b'\r', b'\n', b'  \t', b'\r\n'):
            with self.subTest(blank=blank):
                self.assert_refused(b'{"a"%s: 1, "a": 2}' % blank)
                self.assert_refused(b'{"a": 1, "a"%s: 2}' % blank)
                self.assert_refused(b'{"a"%s:1,"a"%s:2}' % (blank, blank))

    def test_a_repetition_made_up_for_by_a_string_is_refused(self):
        """Strings that look like the end of a key where keys are counted."""
        for line in (
            rb'{"a": 1, "a": "\":"}',
            # As many quotes as an encoder writes for the second "a" alone.
            rb'{"a": 1, "a": "\u0022\u0022"}',
            rb'{"b": "\u0022\u0022", "a": 1, "a": 1}',
            b'{"a": ":", "a": 1}',
            b'{"a": 1, "a": ":"}',
            b'{"a": ":", "a": ":"}',
            b'{":": 1, ":": 1}',
            rb'{"a": ["\":", "\":"], "a"  : 1, "a" : 2}',
        ):
            with self.subTest(line=line):
                self.assert_refused(line)

    def test_a_repetition_in_64_kib_of_members_is_refused(self):
        members = b','.join(b'"%d":0' % i for i in range(9_000))
        self.assert_refused(b'{"return": {%s,"8999":1}}' % members)


class LinesTest(_Assertions):
    """Several lines at once: the same as one by one, or left to that."""

    def test_plain_lines_are_decoded(self):
        lines = [b'{"return": {"a": 1}}', b'{"return": []}', b'{"error": {}}']
        self.assertEqual(
            [decoding.decode(line) for line in lines],
            decoding.decode_lines(lines),
        )

    def test_a_line_that_may_be_bad_is_left_to_a_closer_look(self):
        good = b'{"return": 1}'
        for bad in (
            b'{"a": 1, "a": 2}',
            rb'{"a": 1, "\u0061": 2}',
            b'{"a" : 1, "a": 2}',
            b'{"a"\r: 1, "a": 2}',
            b'[1]',
            b'1',
            b'',
            b'{"a": 1}, {"b": 2}',
            b'{"a": [',
            b'{"a": "\xff"}',
            b'{"a": NaN}',
            b'{"a": [%s]}' % b','.join([b'0'] * 70_000),
            b'{"a": [%s]}' % b','.join([b'[]'] * 40_000),
            b'{"a": %s1%s}' % (b'[' * 32, b']' * 32),
        ):
            for lines in ([bad, good], [good, bad], [bad], [bad, bad]):
                with self.subTest(bad=bad[:20], count=len(lines)):
                    self.assertIsNone(decoding.decode_lines(lines))


# Characters that keys, blanks and escapes are made of, and few others, so
# that chance finds the same key twice.
_CHARACTERS = list('ab:"\\,{}[] \t\r\n/\u00e9\u2028\U0001f600')
_BLANKS = strategies.text(' \t\r\n', max_size=2)


@strategies.composite
def _strings(draw):
    """A JSON string, each character written in one of its forms."""
    written = []
    for char in draw(strategies.text(_CHARACTERS, max_size=3)):
        units = char.encode('utf-16-be')
        forms = [
            ''.join(
                f'\\u{units[i] << 8 | units[i + 1]:04x}'
                for i in range(0, len(units), 2)
            )
        ]
        if char in '"\\/':
            forms.append('\\' + char)
        if char not in '"\\\t\r\n':
            forms += [char, char, char]
        written.append(draw(strategies.sampled_from(forms)))
    return '"' + ''.join(written) + '"'


def _containers(values):
    def fill(blanks, opening, parts, closing):
        return opening + blanks + (blanks + ',' + blanks).join(parts) + closing

    member = strategies.builds(
        lambda key, before, after, value: key + before + ':' + after + value,
        _strings(),
        _BLANKS,
        _BLANKS,
        values,
    )
    objects = strategies.builds(
        fill,
        _BLANKS,
        strategies.just('{'),
        strategies.lists(member, max_size=4),
        strategies.just('}'),
    )
    lists = strategies.builds(
        fill,
        _BLANKS,
        strategies.just('['),
        strategies.lists(values, max_size=3),
        strategies.just(']'),
    )
    return objects | lists


_LEAVES = _strings() | strategies.sampled_from(
    ['0', '-1', '1.5e3', 'true', 'false', 'null', '18446744073709551615']
)
_TEXTS = strategies.recursive(_LEAVES, _containers, max_leaves=12)


class _Repeated(Exception):
    pass


def _unique(pairs):
    if len({key for key, _ in pairs}) != len(pairs):
        raise _Repeated
    return dict(pairs)


class RandomLineTest(_Assertions):
    @hypothesis.settings(max_examples=500, deadline=None)
    @hypothesis.given(text=_TEXTS)
    def test_the_decoder_agrees_with_one_that_looks_at_each_pair(self, text):
        line = ('{"return": ' + text + '}').encode()
        try:
            expected = json.loads(line, object_pairs_hook=_unique)
        except _Repeated:
            self.assert_refused(line)
        else:
            self.assertEqual(expected, decoding.decode(line))

    @hypothesis.settings(max_examples=500, deadline=None)
    @hypothesis.given(texts=strategies.lists(_TEXTS, max_size=3))
    def test_several_lines_are_decoded_as_one_by_one(self, texts):
        lines = [('{"a": ' + text + '}').encode() for text in texts]
        decoded = decoding.decode_lines(lines)
        if decoded is not None:
            self.assertEqual(
                [decoding.decode(line) for line in lines], decoded
            )

    @hypothesis.settings(max_examples=500, deadline=None)
    @hypothesis.given(line=strategies.binary(max_size=80))
    def test_any_bytes_are_decoded_or_refused(self, line):
        try:
            self.assertIs(dict, type(decoding.decode(line)))
        except errors.MalformedMessage:
            pass

    @hypothesis.settings(max_examples=500, deadline=None)
    @hypothesis.given(
        line=strategies.lists(
            strategies.sampled_from(
                [b'{', b'}', b'[', b']', b'"', b':', b',', b'\\', b'\\u0061']
                + [b'"a":', b'"a"', b'1', b'-', b'.', b'e', b' ', b'\xff']
                + [b'"return"', b'null', b'\xc3\xa9', b'\n', b'0', b'\0']
            ),
            max_size=20,
        ).map(b''.join)
    )
    def test_any_pieces_of_json_are_decoded_or_refused(self, line):
        try:
            decoded = decoding.decode(line)
        except errors.MalformedMessage:
            return
        self.assertEqual(json.loads(line, object_pairs_hook=_unique), decoded)
