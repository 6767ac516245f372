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

"""Hostile arguments to all that can be called, taken from the catalog.

An operation that is added is covered by its entry in ``VALID``.
"""

import contextlib
import itertools
import json
import logging
from typing import Any
import unittest

import fixtures
import hypothesis
from hypothesis import strategies

from nova_qga import errors
from nova_qga.rpc import request
from nova_qga.rpc import user
from nova_qga.rpc import validation
from nova_qga.tests.fixtures import known_host
from nova_qga.tests.unit.rpc import test_validation

#: Stands for what a caller would not like to find again.
SECRET = 'S3cr3tW0rd'

#: What is asked of a host itself, with arguments that are taken.
HOST_METHODS = {
    'list_guests': {},
    'get_coverage': {},
    'get_public_key': {},
    'get_metrics': {'instance_uuid': known_host.UUID},
    'get_operation': {'request_id': 'r1'},
    'get_usage': {},
}


def nested(depth, make):
    value = SECRET
    for _ in range(depth):
        value = make(value)
    return value


#: Each is given for every argument of every method.
HOSTILE: tuple[Any, ...] = (
    None,
    True,
    0,
    -1,
    1 << 63,
    10**4000,
    -(10**4000),
    0.5,
    -0.5,
    1e308,
    float('nan'),
    float('inf'),
    float('-inf'),
    '',
    ' ',
    SECRET,
    f'{SECRET}\0',
    f'/{SECRET}\0',
    f'/{SECRET}\n/x',
    f'{SECRET}:x',
    f'root\n{SECRET}:x',
    f'../{SECRET}',
    f'{SECRET}\ud800',
    f'/{SECRET}\udcff',
    f'\x1b[2J{SECRET}',
    f'\u202e{SECRET}',
    f'ssh-{SECRET} AAAA',
    f'ssh-rsa {SECRET}',
    f'command="{SECRET}" {test_validation.KEY}',
    f'{test_validation.KEY}\n{test_validation.KEY} {SECRET}',
    f'$6${SECRET}:$x',
    f'2026-01-01T00:00:00{SECRET}',
    f'{known_host.UUID}\n{SECRET}',
    SECRET * 10_000_000,
    [],
    [None],
    [SECRET],
    [f'{SECRET}\0'],
    [f'ssh-{SECRET} AAAA'],
    [f'command="{SECRET}" {test_validation.KEY}'],
    [f'{test_validation.KEY}\r\n{SECRET}'],
    [SECRET * 1_000_000],
    [SECRET] * 1_000_000,
    [[SECRET]],
    {},
    {SECRET: True},
    {'0': SECRET},
    {'1': True, f'1\n{SECRET}': True},
    {'-1': True},
    {str(number): SECRET for number in range(100_000)},
    nested(100_000, lambda inner: [inner]),
    nested(100_000, lambda inner: {SECRET: inner}),
)

TEXT = strategies.text(
    strategies.characters(exclude_categories=()), max_size=30
).map(lambda text: SECRET + text) | strategies.text(max_size=8).map(
    lambda text: f'/{text}\0{SECRET}'
)
RANDOM = strategies.recursive(
    TEXT
    | strategies.none()
    | strategies.booleans()
    | strategies.integers()
    | strategies.floats(),
    lambda inner: (
        strategies.lists(inner, max_size=4)
        | strategies.dictionaries(TEXT, inner, max_size=4)
    ),
    max_leaves=8,
)


def arguments_of(operation):
    """The names of all arguments of an operation."""
    taken = known_host.OPERATIONS[operation].arguments
    return sorted({*taken, *known_host.request(), 'wait_for_agent'})


EVERY = [
    (operation, name)
    for operation in sorted(known_host.OPERATIONS)
    for name in arguments_of(operation)
]


class HostileTest(fixtures.TestWithFixtures, unittest.TestCase):
    def setUp(self):
        super().setUp()
        self.logger = self.useFixture(fixtures.FakeLogger(level=logging.DEBUG))
        self.host = known_host.KnownHost()
        self.numbers = itertools.count(1)

    def given(self, operation, **more):
        return {
            **known_host.request(f'hostile-{next(self.numbers)}'),
            **test_validation.VALID[operation],
            **more,
        }

    def is_valid(self, operation, given):
        """Whether a request is taken; nothing but a refusal is raised."""
        try:
            request.parse(
                user.User(),
                known_host.OPERATIONS[operation],
                given,
                test_validation.LIMITS,
            )
        except errors.InvalidRequest:
            return False
        except errors.Denied:
            # What the operator must allow is no fault of its form.
            return True
        return True

    def refuse(self, method, given, context=known_host.ADMIN):
        """Call a method that refuses its arguments and tells nothing."""
        outcome = getattr(self.host.endpoint, method)(context, **given)
        self.assertEqual('failed', outcome['state'])
        self.assertIn(
            outcome['error']['code'], ('invalid_request', 'unknown_key')
        )
        self.assertNotIn(SECRET, json.dumps(outcome))
        return outcome

    def check_nothing_was_kept(self):
        """Nothing was done in a guest, and no argument is anywhere."""
        self.assertEqual([], self.host.reached)
        self.assertEqual([], self.host.agent_of.executed)
        self.assertEqual([], self.host.sampled)
        with self.host.journal.reading() as connection:
            journal = '\n'.join(connection.iterdump())
        self.assertNotIn(SECRET, journal)
        self.assertNotIn(SECRET, self.logger.output)
        self.assertNotIn('Traceback', self.logger.output)
        self.assertNotIn('is a fault of nova-qga', self.logger.output)


class OperationTest(HostileTest):
    def test_every_argument_is_checked_before_a_request_is_noted(self):
        for operation, name in EVERY:
            with self.subTest(operation=operation, argument=name):
                for number, value in enumerate(HOSTILE):
                    given = self.given(operation, **{name: value})
                    if not self.is_valid(operation, given):
                        with self.subTest(value=number):
                            self.check_refused(operation, given)
                self.check_nothing_was_kept()

    def check_refused(self, operation, given):
        outcome = self.refuse(operation, given)
        known = self.host.ledger.find(outcome['request_id'])
        if known is not None:
            self.assertEqual(
                ('failed', 'invalid_request'),
                (known.state, known.error['code']),
            )

    def test_every_argument_is_refused_where_it_is_of_another_type(self):
        wrong = [{SECRET: 1}]
        for operation, name in EVERY:
            with self.subTest(operation=operation, argument=name):
                given = self.given(operation, **{name: wrong})
                self.assertFalse(self.is_valid(operation, given))

    def test_an_argument_that_no_operation_has_is_refused(self):
        for operation in known_host.OPERATIONS:
            with self.subTest(operation=operation):
                self.refuse(operation, self.given(operation, **{SECRET: 1}))
        self.check_nothing_was_kept()

    @hypothesis.settings(
        deadline=None,
        max_examples=400,
        suppress_health_check=[
            hypothesis.HealthCheck.differing_executors,
            hypothesis.HealthCheck.function_scoped_fixture,
        ],
    )
    @hypothesis.given(strategies.sampled_from(EVERY), RANDOM)
    def test_whatever_an_argument_is_nothing_of_it_is_kept(
        self, argument, value
    ):
        operation, name = argument
        given = self.given(operation, **{name: value})
        if not self.is_valid(operation, given):
            self.check_refused(operation, given)
        self.check_nothing_was_kept()


class HostMethodTest(HostileTest):
    def test_every_method_is_known(self):
        endpoint = self.host.endpoint
        exposed = {
            name
            for name in dir(endpoint)
            if getattr(getattr(endpoint, name), 'exposed', False)
        }
        self.assertEqual(exposed, {*HOST_METHODS, *known_host.OPERATIONS})

    def test_every_argument_is_checked(self):
        for method, valid in HOST_METHODS.items():
            for name in ('instance_uuid', 'request_id', 'expires_at'):
                with self.subTest(method=method, argument=name):
                    for number, value in enumerate(HOSTILE):
                        if self.is_taken(name, value):
                            continue
                        with self.subTest(value=number):
                            self.refuse(method, {**valid, name: value})
                    self.check_nothing_was_kept()

    def is_taken(self, name, value):
        """Whether it is as good as none, or may well name a request."""
        if name == 'request_id':
            with contextlib.suppress(errors.InvalidRequest):
                validation.request_id(name, value)
                return True
        return value is None


class AnyRequestTest(HostileTest):
    @hypothesis.settings(
        deadline=None,
        suppress_health_check=[
            hypothesis.HealthCheck.differing_executors,
            hypothesis.HealthCheck.function_scoped_fixture,
        ],
    )
    @hypothesis.given(
        strategies.sampled_from([*sorted(known_host.OPERATIONS)]),
        strategies.dictionaries(
            TEXT | strategies.sampled_from(sorted({n for _, n in EVERY})),
            RANDOM,
            max_size=6,
        ),
        RANDOM
        | strategies.dictionaries(
            strategies.sampled_from(
                ('user_id', 'project_id', 'roles', 'is_admin')
            ),
            RANDOM,
        ),
    )
    def test_any_request_of_anybody_is_refused(self, method, given, context):
        self.assertFalse(self.is_valid(method, given))
        outcome = getattr(self.host.endpoint, method)(context, **given)
        self.assertEqual('invalid_request', outcome['error']['code'])
        self.assertNotIn(SECRET, json.dumps(outcome))

    def test_nobody_is_who_a_context_of_another_type_says(self):
        for context in HOSTILE:
            for value in (
                context,
                {'roles': context, 'is_admin': context},
                {'roles': [context], 'user_id': context},
                {'project_id': context, 'is_admin': 'true'},
            ):
                if value == {'roles': True, 'is_admin': True}:
                    continue
                outcome = self.host.endpoint.ping(value, **self.given('ping'))
                self.assertEqual('denied', outcome['state'])
        self.assertEqual([], self.host.reached)
