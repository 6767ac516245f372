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

"""Samples as POSTs of JSON lines, to an address for the host or a project's.

Each address has a queue, a thread and a connection of its own, so that one
that hangs holds up no other. A POST whose answer is lost is made again: a
receiver may get samples twice.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
import ssl
from typing import Any

import orjson

from nova_qga.collectors import sample_set
from nova_qga import errors
from nova_qga.publishers import address
from nova_qga.publishers import base
from nova_qga.publishers import payload
from nova_qga.publishers import receiver

GROUP = 'qga_http'
CONTENT_TYPE = 'application/x-ndjson'


class HttpPublisher(base.Publisher):
    """Posts to where the options say.

    :raises ConfigurationError: an address or a file cannot be used
    """

    group = GROUP
    files = ('ca_file', 'certificate_file', 'key_file')

    def __init__(self, context: base.Context) -> None:
        super().__init__(context)
        options = context.options[GROUP]
        self.batch_size = options['batch_size']
        self.batch_wait = options['batch_wait']
        self._most: int = options['max_bytes']
        of_host, of_projects = _of_host(options), _of_projects(options)
        names = _names(of_host, of_projects)
        self._default = names[of_host] if of_host else None
        self._routes = {
            project: names[each] for project, each in of_projects.items()
        }
        settings = receiver.Settings(
            options['timeout'], _tls(options), _proxy(options)
        )
        self._receivers = {
            name: receiver.Receiver(each, settings)
            for each, name in names.items()
        }

    def route(self, samples: sample_set.SampleSet) -> str | None:
        return self._routes.get(samples.project_id, self._default)

    def publish(self, batch: Sequence[sample_set.SampleSet]) -> None:
        route = self.route(batch[0])
        if route is None:
            return
        refused = None
        for body in bodies(batch, self.context.host, self._most):
            try:
                self._receivers[route].post(body, CONTENT_TYPE)
            except errors.OperationFailed as error:
                # It may be one guest's that is too large, and no other's.
                refused = error
        if refused is not None:
            raise refused

    def close(self) -> None:
        for each in self._receivers.values():
            each.close()


def bodies(
    batch: Iterable[sample_set.SampleSet], host: str, most: int
) -> Iterator[bytes]:
    """Make lines of samples, a guest each, and bodies of lines.

    :param most: bytes of a body; a line that is longer is one of its own
    """
    lines: list[bytes] = []
    size = 0
    for each in batch:
        line = orjson.dumps(payload.of(each, host)) + b'\n'
        if lines and size + len(line) > most:
            yield b''.join(lines)
            lines, size = [], 0
        lines.append(line)
        size += len(line)
    if lines:
        yield b''.join(lines)


def _of_host(options: Mapping[str, Any]) -> address.Address | None:
    if not options['url']:
        return None
    return address.Address(
        f'[{GROUP}]url',
        options['url'],
        options['token_file'],
        options['username'],
        options['password_file'],
    )


def _of_projects(
    options: Mapping[str, Any],
) -> dict[str, address.Address]:
    urls, tokens = options['project_urls'], options['project_token_files']
    strangers = ', '.join(sorted(set(tokens) - set(urls)))
    if strangers:
        raise errors.ConfigurationError(
            f'[{GROUP}]project_token_files has {strangers}, and project_urls '
            'has not: correct one of them'
        )
    return {
        project: address.Address(
            f'[{GROUP}]project_urls', url, tokens.get(project, '')
        )
        for project, url in urls.items()
    }


def _names(
    of_host: address.Address | None,
    of_projects: Mapping[str, address.Address],
) -> dict[address.Address, str]:
    """Check all addresses, and give each a name for the log."""
    names: dict[address.Address, str] = {}
    if of_host:
        of_host.check(of_host.option)
        names[of_host] = of_host.shown
    for project, each in of_projects.items():
        each.check(f'{each.option} of project {project}')
        names.setdefault(each, f'{each.shown} of project {project}')
    if not names:
        raise errors.ConfigurationError(
            f'http is among [qga_monitor]publishers, and neither [{GROUP}]url '
            'nor project_urls says where to: set one of them'
        )
    return names


def _tls(options: Mapping[str, Any]) -> ssl.SSLContext:
    authorities = options['ca_file']
    certificate, key = options['certificate_file'], options['key_file']
    if bool(certificate) != bool(key):
        raise errors.ConfigurationError(
            f'[{GROUP}]certificate_file and key_file are set together'
        )
    try:
        tls = ssl.create_default_context(cafile=authorities or None)
        if certificate:
            # A password would be asked for on a terminal.
            tls.load_cert_chain(certificate, key, password='')
    except (OSError, ssl.SSLError) as error:
        raise errors.ConfigurationError(
            f'[{GROUP}]ca_file, certificate_file or key_file cannot be used: '
            f'{error.strerror or error}'
        ) from None
    return tls


def _proxy(options: Mapping[str, Any]) -> str:
    proxy: str = options['proxy']
    if proxy:
        address.check_url(f'[{GROUP}]proxy', proxy)
    return proxy
