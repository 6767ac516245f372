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

"""monitor_settings.xml: what is taken from it, and what a guest may write."""

import unittest

import hypothesis
from hypothesis import strategies

from nova_qga.cli import monitor_settings

BOMB = (
    b'<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa">'
    b'<!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">'
    b'<!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;">]>'
    b'<x><period>60</period><url>&c;</url></x>'
)


class SettingsTest(unittest.TestCase):
    def parse(self, text):
        return monitor_settings.parse(text.encode())

    def test_period_and_address_are_found_where_they_stand(self):
        for text in (
            '<m><period>60</period><push_url>http://c/x</push_url></m>',
            '<m period="60" url="http://c/x"/>',
            '<m><set name="period" value="60"/>'
            '<set key="PushAddress" value="http://c/x"/></m>',
            '<m><set name="interval">60</set><s name="push">http://c/x</s></m>',
            '<m xmlns="urn:x"><a:Interval xmlns:a="u">60</a:Interval>'
            '<server>other</server><endpoint> http://c/x </endpoint></m>',
        ):
            with self.subTest(text=text):
                self.assertEqual(('60', 'http://c/x'), self.parse(text))

    def test_what_has_no_such_form_is_not_shown(self):
        for text in (
            '<m/>',
            '<m><period>sixty minutes or so</period><url>a b</url></m>',
            '<m><period>\u0661</period><url>http://h/\u202e</url></m>',
            '<m><push_password>60</push_password><url_key>k</url_key></m>',
            '<m><note>http://c/x</note></m>',
            f'<m><url>http://{"x" * 300}/</url></m>',
        ):
            with self.subTest(text=text):
                self.assertEqual((None, None), self.parse(text))

    def test_what_may_be_a_password_is_masked(self):
        for address, shown in (
            ('http://u:p@c:80/x', 'http://***@c:80/x'),
            ('http://u:p@ss://w/o@c/x', 'http://***@c/x'),
            ('u:p@c', '***@c'),
            ('http://c/x?token=t#f', 'http://c/x?***'),
            ('http://c/x#t', 'http://c/x'),
            ('http://u:p?@c/x', 'http://***@c/x'),
            ('http://[::1]:80/', 'http://[::1]:80/'),
        ):
            with self.subTest(address=address):
                self.assertEqual(shown, monitor_settings.masked(address))
                self.assertEqual(
                    shown, self.parse(f'<m url="{address}"/>').address
                )

    def test_what_is_not_such_a_file_is_told(self):
        for data, words in (
            (b'', 'no XML'),
            (b'<m>', 'no XML'),
            (b'\0\xff', 'no XML'),
            (b'<m>&x;</m>', 'no XML'),
            (b'<a>' * 5000 + b'</a>' * 5000, 'no XML'),
            (b' ' * (monitor_settings.MAX_BYTES + 1), 'more than'),
            (BOMB, 'document type'),
            (
                b'<!DOCTYPE x SYSTEM "file:///etc/passwd"><x url="http://c"/>',
                'document type',
            ),
        ):
            with self.subTest(data=data[:60]):
                with self.assertRaisesRegex(
                    monitor_settings.Unreadable, words
                ):
                    monitor_settings.parse(data)

    @hypothesis.settings(deadline=None, max_examples=300)
    @hypothesis.given(
        strategies.binary(max_size=60)
        | strategies.text(
            strategies.sampled_from('<>/="& !?-[]#;periodulx1&\x1b\u202e')
        ).map(lambda text: f'<m {text}</m>'.encode())
    )
    def test_whatever_it_holds_only_plain_text_comes_out(self, data):
        try:
            found = monitor_settings.parse(data)
        except monitor_settings.Unreadable:
            return
        for value in found:
            self.assertTrue(value is None or value.isascii())
            self.assertTrue(value is None or value.isprintable())
