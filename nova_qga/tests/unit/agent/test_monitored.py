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


"""Tests of the choice of guests and periods."""

import dataclasses
import unittest

from nova_qga.agent import monitored
from nova_qga import errors
from nova_qga.tests.fixtures import known_host

GUEST = dataclasses.replace(
    known_host.DESCRIPTION, project_id='3d0e6f1c2b5a4978a1f0c6e2d4b8957a'
)
DASHED = '3D0E6F1C-2B5A-4978-A1F0-C6E2D4B8957A'
OTHER = '0e1d2c3b4a5968778695a4b3c2d1e0f9'


def choose(**options):
    return monitored.choose(
        **{
            'interval': 60.0,
            'slow_interval': 300.0,
            'heartbeat_interval': 60.0,
            'excluded_projects': [],
            'excluded_instances': [],
            'project_intervals': {},
            **options,
        }
    )


class IntervalTest(unittest.TestCase):
    def test_every_guest_has_the_hosts_period(self):
        self.assertEqual(60.0, choose().interval_of(GUEST))

    def test_the_guests_of_a_project_may_have_another(self):
        for project in (GUEST.project_id, DASHED):
            with self.subTest(project=project):
                chosen = choose(project_intervals={project: '15', OTHER: '1'})
                self.assertEqual(15.0, chosen.interval_of(GUEST))

    def test_a_period_may_be_as_short_and_as_long_as_the_hosts(self):
        for text in ('1', '86400', '1.5', '1e3'):
            chosen = choose(project_intervals={GUEST.project_id: text})
            self.assertEqual(float(text), chosen.interval_of(GUEST))

    def test_one_that_is_wrong_is_said_with_its_project(self):
        for text in ('0.9', '86401', '0', '-5', '', 'soon', 'nan', 'inf'):
            with self.subTest(text=text):
                with self.assertRaisesRegex(
                    errors.ConfigurationError,
                    f'project_intervals has {text!r} for project {DASHED}',
                ):
                    choose(project_intervals={OTHER: '30', DASHED: text})

    def test_a_period_that_is_no_number_is_refused(self):
        for name in ('interval', 'slow_interval', 'heartbeat_interval'):
            with self.assertRaisesRegex(errors.ConfigurationError, name):
                choose(**{name: float('nan')})


class ExcludedTest(unittest.TestCase):
    def assert_off(self, chosen, who, guest=GUEST):
        self.assertIsNone(chosen.interval_of(guest))
        self.assertIn(who, chosen.off_because(guest))

    def test_nobody_is_where_nothing_is_said(self):
        self.assertIsNone(choose().off_because(GUEST))

    def test_a_guest_whose_flavor_or_image_says_no_is(self):
        guest = dataclasses.replace(GUEST, monitored=False)
        self.assert_off(choose(), 'qga:monitoring', guest)

    def test_an_instance_is(self):
        for uuid in (GUEST.uuid, GUEST.uuid.upper()):
            self.assert_off(
                choose(excluded_instances=[OTHER, uuid]), 'excluded_instances'
            )

    def test_all_guests_of_a_project_are(self):
        for project in (GUEST.project_id, DASHED):
            self.assert_off(
                choose(excluded_projects=[project]), 'excluded_projects'
            )

    def test_a_period_of_its_project_does_not_bring_it_back(self):
        self.assert_off(
            choose(
                excluded_projects=[GUEST.project_id],
                project_intervals={GUEST.project_id: '15'},
            ),
            'excluded_projects',
        )

    def test_others_are_not(self):
        chosen = choose(excluded_instances=[OTHER], excluded_projects=[OTHER])
        self.assertEqual(60.0, chosen.interval_of(GUEST))

    def test_a_guest_of_no_project_is_not(self):
        guest = dataclasses.replace(GUEST, project_id='')
        chosen = choose(excluded_projects=[OTHER])
        self.assertEqual(60.0, chosen.interval_of(guest))


class DoubtfulTest(unittest.TestCase):
    def test_what_cannot_be_an_id_is_told_of_and_stops_nothing(self):
        chosen = choose(
            excluded_instances=[GUEST.uuid, 'web-1'],
            excluded_projects=['', DASHED],
            project_intervals={'demo': '30', OTHER: '30'},
        )
        self.assertEqual(
            {
                ('excluded_instances', 'web-1'),
                ('excluded_projects', ''),
                ('project_intervals', 'demo'),
            },
            set(chosen.doubtful),
        )

    def test_an_empty_word_excludes_no_guest_without_a_project(self):
        guest = dataclasses.replace(GUEST, project_id='')
        chosen = choose(excluded_projects=[''])
        self.assertEqual(60.0, chosen.interval_of(guest))
