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

"""What a controller calls: one method an operation, typed.

Every method returns an outcome (:mod:`nova_qga.rpc.outcome`) as a mapping,
and raises only where none can be had. It needs neither libvirt nor the
agent's configuration.
"""

import base64
from collections.abc import Sequence
from typing import Any

from nova_qga import errors
from nova_qga.rpc import client
from nova_qga.rpc import password as rpc_password

Outcome = client.Outcome


class Api(client.Client):
    """Operations in guests.

    ``host`` is the compute host of the guest, as Nova knows it.
    """

    def set_password(
        self,
        host: str,
        instance_uuid: str,
        username: str,
        password: str,
        *,
        crypt: bool = True,
    ) -> Outcome:
        """Set an account's password.

        :param password: clear text; it never leaves this process as it is
        :param crypt: hash it here; else it is sealed to the public key of
            the host, as Windows guests need the clear text
        """
        if crypt:
            return self.change(
                host,
                'set_password',
                instance_uuid,
                username=username,
                crypted=rpc_password.hashed(password),
            )
        ended = self._set_sealed(host, instance_uuid, username, password)
        if (ended.get('error') or {}).get('code') == errors.UnknownKey.code:
            # It was rotated away since we fetched it.
            ended = self._set_sealed(host, instance_uuid, username, password)
        return ended

    def _set_sealed(
        self, host: str, instance_uuid: str, username: str, password: str
    ) -> Outcome:
        """Seal a password to the key that the host has now, and set it."""
        fetched = self.get_public_key(host)
        key = fetched.get('result')
        if key is None:
            return {
                **fetched,
                'operation': 'set_password',
                'instance_uuid': instance_uuid,
            }
        request = self.request(instance_uuid)
        arguments = rpc_password.sealed(key, request, username, password)
        return self.change(host, 'set_password', **{**request, **arguments})

    def add_ssh_keys(
        self,
        host: str,
        instance_uuid: str,
        username: str,
        keys: Sequence[str],
        *,
        replace: bool = False,
    ) -> Outcome:
        """Add public keys to an account, or leave it these alone.

        :returns: with the counts ``added`` and ``present``
        """
        return self.change(
            host,
            'add_ssh_keys',
            instance_uuid,
            username=username,
            keys=list(keys),
            replace=replace,
        )

    def remove_ssh_keys(
        self,
        host: str,
        instance_uuid: str,
        username: str,
        keys: Sequence[str] = (),
        *,
        owned: bool = False,
    ) -> Outcome:
        """Remove public keys from an account.

        :param owned: instead of ``keys``, all that we have added
        :returns: with the counts ``removed`` and ``absent``
        """
        return self.change(
            host,
            'remove_ssh_keys',
            instance_uuid,
            username=username,
            keys=list(keys),
            owned=owned,
        )

    def rotate_ssh_keys(
        self,
        host: str,
        instance_uuid: str,
        username: str,
        keys: Sequence[str],
    ) -> Outcome:
        """Put public keys in the place of all that we have added.

        :returns: with the counts ``added``, ``present``, ``removed`` and
            ``absent``
        """
        return self.change(
            host,
            'rotate_ssh_keys',
            instance_uuid,
            username=username,
            keys=list(keys),
        )

    def list_ssh_keys(
        self, host: str, instance_uuid: str, username: str
    ) -> Outcome:
        """List an account's public keys.

        :returns: with ``keys``, and those that we have added as ``owned``
        """
        return self.ask(
            host, 'list_ssh_keys', instance_uuid, username=username
        )

    def write_file(
        self,
        host: str,
        instance_uuid: str,
        path: str,
        content: bytes,
        *,
        offset: int = 0,
        size: int | None = None,
        verify: bool = False,
        mode: str | None = None,
        owner: str | None = None,
        group: str | None = None,
        best_effort: bool = False,
    ) -> Outcome:
        """Write one part of a file, of at most 1 MiB.

        :param offset: where it goes; 0 makes the file or empties it first
        :param size: of the whole file, to be refused before the first part
        :param verify: read it back in the guest and compare
        :param mode: of the file, such as ``0600``; as owner and group, with
            offset 0 alone
        :param best_effort: write it though they cannot be set
        :returns: with ``bytes_written``, and ``mode_set`` and ``owner_set``
            of what was wanted
        """
        return self.change(
            host,
            'write_file',
            instance_uuid,
            path=path,
            content=base64.b64encode(content).decode(),
            offset=offset,
            size=size,
            verify=verify,
            mode=mode,
            owner=owner,
            group=group,
            best_effort=best_effort,
        )

    def read_file(
        self,
        host: str,
        instance_uuid: str,
        path: str,
        *,
        offset: int = 0,
        length: int,
    ) -> Outcome:
        """Read one part of a file, of at most 1 MiB.

        :returns: with ``content`` in base64, and ``eof``
        """
        return self.ask(
            host,
            'read_file',
            instance_uuid,
            path=path,
            offset=offset,
            length=length,
        )

    def get_info(
        self,
        host: str,
        instance_uuid: str,
        sections: Sequence[str] | None = None,
    ) -> Outcome:
        """Return what the guest says of itself.

        :param sections: such as ``users``; None for all
        """
        if sections is None:
            return self.ask(host, 'get_info', instance_uuid)
        return self.ask(
            host, 'get_info', instance_uuid, sections=list(sections)
        )

    def ping(self, host: str, instance_uuid: str) -> Outcome:
        """Let the guest's agent answer; returns the ``seconds`` it took."""
        return self.ask(host, 'ping', instance_uuid)

    def list_guests(self, host: str) -> Outcome:
        """Return the ``guests`` of a host."""
        return self.ask(host, 'list_guests')

    def get_coverage(self, host: str) -> Outcome:
        """Return the ``guests`` of a host, each with its ``status``.

        That is ``ok``, ``limited`` or ``dark``; ``reason`` and ``message``
        say why.
        """
        return self.ask(host, 'get_coverage')

    def get_public_key(self, host: str) -> Outcome:
        """Return the ``public_key`` of a host, in base64, and its ``key_id``.

        Secrets are sealed to it.
        """
        return self.ask(host, 'get_public_key')

    def get_metrics(self, host: str, instance_uuid: str) -> Outcome:
        """Return ``samples`` of a guest, and which are ``missing``."""
        return self.ask(host, 'get_metrics', instance_uuid)

    def get_usage(
        self,
        host: str,
        *,
        sort: str = 'name',
        limit: int | None = None,
        project_id: str | None = None,
    ) -> Outcome:
        """Return what each of the ``guests`` of a host uses.

        :param sort: ``cpu``, ``memory``, ``disk``, ``network`` or ``load``
            for the heaviest first, or ``name``
        :param limit: no more guests than these
        :param project_id: only guests of this project
        """
        arguments: dict[str, Any] = {'sort': sort, 'project_id': project_id}
        if limit is not None:
            arguments['limit'] = limit
        return self.ask(host, 'get_usage', **arguments)

    def get_operation(self, host: str, request_id: str) -> Outcome:
        """Return how a request stands, or ended, as its ``state``.

        :param request_id: of the request that is asked about
        """
        return self.ask(host, 'get_operation', request_id=request_id)
