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

"""Serve one WSGI application: ``wsgi.py MODULE PORT``.

With threads, no fork and no eventlet. The folder of its configuration comes
in OS_<SERVICE>_CONFIG_DIR.
"""

import importlib
import sys

import waitress


def main() -> None:
    name, port = sys.argv[1], int(sys.argv[2])
    # The applications parse the command line as if it were theirs.
    sys.argv = [name]
    module = importlib.import_module(name)
    waitress.serve(
        module.application, host='127.0.0.1', port=port, threads=8, ident=None
    )


if __name__ == '__main__':
    main()
