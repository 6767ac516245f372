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

"""A fault of our own: logged with where it happened, told without its text.

The text of an exception that nobody foresaw may hold an argument, and so a
password.
"""

import traceback

from oslo_log import log as logging

from nova_qga import errors

LOG = logging.getLogger(__name__)


def log(what: str, error: Exception) -> errors.QgaError:
    """Log a fault, and return what a caller may know of it."""
    kind = type(error).__name__
    LOG.error(
        '%s failed with %s, which is a fault of nova-qga:\n%s',
        what,
        kind,
        ''.join(traceback.format_tb(error.__traceback__)),
    )
    return errors.QgaError(
        f'nova-qga-agent failed with {kind}: the log of this host says where'
    )
