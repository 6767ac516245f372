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

"""Say why keystone or Nova could not be asked, and what to do.

Without the words of exceptions, which may hold URLs, headers or what is in
clouds.yaml. Only those that name what is missing from the configuration are
repeated: they hold names of options.
"""

import re

from nova_qga.cli import outcome

_HOW = (
    'set OS_CLOUD or --os-cloud to a cloud of clouds.yaml, or the OS_* '
    'variables as for "openstack", of an administrator; or name the host '
    'with --host'
)
#: The server in a URL, without a user and password that may stand before it.
_SERVER = re.compile(r'https?://(?:[^/\s@]*@)?([\w.:\[\]-]+)')


def no_credentials(error: Exception) -> outcome.Failure:
    """Return why there is nobody to log in as."""
    from keystoneauth1 import exceptions as keystone
    from openstack import exceptions as sdk

    named = (keystone.AuthPluginException, sdk.ConfigException)
    why = str(error) if isinstance(error, named) else type(error).__name__
    return outcome.Failure(
        'which host? Nova was to be asked, and there are no credentials that '
        f'can be used ({why.rstrip(".")}): {_HOW}',
        outcome.ExitCode.USAGE,
    )


def check(status: int) -> None:
    """Raise Failure unless Nova answered what it was asked."""
    if status == 200:
        return
    if status in (401, 403):
        raise _refused(f'Nova refuses these credentials (HTTP {status})')
    raise outcome.Failure(
        f"Nova answered HTTP {status}: see nova-api's log, or name the host "
        'with --host',
        outcome.ExitCode.NO_SERVICE,
    )


def explain(error: Exception) -> Exception:
    """Return a Failure that says why no answer came."""
    from keystoneauth1 import exceptions as keystone
    from openstack import exceptions as sdk

    if isinstance(error, outcome.Failure):
        return error
    # 400 is what it answers where one of them is missing.
    if isinstance(error, keystone.Unauthorized | keystone.BadRequest):
        return _refused(
            f'keystone refuses these credentials (HTTP {error.http_status})'
        )
    if isinstance(
        error, keystone.CatalogException | sdk.ServiceDisabledException
    ):
        return outcome.Failure(
            'the catalog has no compute endpoint for these credentials: they '
            'must name a project, and OS_REGION_NAME and OS_INTERFACE must '
            'fit',
            outcome.ExitCode.USAGE,
        )
    if isinstance(error, keystone.SSLError):
        return _unavailable(error, 'its certificate is refused: set OS_CACERT')
    if isinstance(error, keystone.ConnectTimeout):
        return _unavailable(error, 'it does not answer in time')
    if isinstance(error, keystone.HttpError):
        return _unavailable(error, f'it answered HTTP {error.http_status}')
    # What is no JSON is an OSError too.
    if isinstance(error, keystone.DiscoveryFailure | ValueError):
        return _unavailable(error, 'what answers there is neither')
    if isinstance(error, keystone.ConnectionError | OSError):
        return _unavailable(error, 'see that it runs')
    return no_credentials(error)


def _refused(what: str) -> outcome.Failure:
    return outcome.Failure(f'{what}: {_HOW}', outcome.ExitCode.USAGE)


def _unavailable(error: Exception, why: str) -> outcome.Failure:
    found = _SERVER.search(str(getattr(error, 'url', None) or error))
    where = f' at {found[1]}' if found else ''
    return outcome.Failure(
        f'keystone or Nova{where} cannot be asked for the host '
        f'({type(error).__name__}): {why}; or name the host with --host',
        outcome.ExitCode.NO_SERVICE,
    )
