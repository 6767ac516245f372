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

"""Serve Gnocchi's API for a test, with the server that Gnocchi brings.

Its own program wants uWSGI. This is run by the Python of the virtual
environment that install.sh makes: PORT, then Gnocchi's options.
"""

import sys

from gnocchi.cli import api
from werkzeug import serving

if __name__ == '__main__':
    port = int(sys.argv.pop(1))
    serving.run_simple('127.0.0.1', port, api.wsgi(), threaded=True)
