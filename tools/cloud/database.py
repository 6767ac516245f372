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

"""A MariaDB server of the cloud's own, with its data in the run's folder."""

import shutil

from cloud import programs
from nova_qga.tests.fixtures import process

DATABASES = (
    'keystone',
    'glance',
    'placement',
    'neutron',
    'nova',
    'nova_api',
    'nova_cell0',
)

# The data lives no longer than the run: it need not survive a crash.
FAST = (
    '--skip-log-bin',
    '--innodb-flush-log-at-trx-commit=0',
    '--innodb-doublewrite=0',
    '--sync-frm=0',
    '--innodb-buffer-pool-size=256M',
)


def start(run: programs.Programs) -> None:
    """Start it with one empty database for each service."""
    port = run.place.ports['database']
    folder = run.place.run / 'mysql'
    folder.mkdir()
    shutil.chown(folder, 'mysql', 'mysql')
    run.run(
        'mysql_install_db',
        '--no-defaults',
        '--auth-root-authentication-method=normal',
        '--user=mysql',
        f'--datadir={folder}',
        '--skip-test-db',
        '--skip-name-resolve',
    )
    server = run.start(
        'mariadb',
        'mariadbd',
        '--no-defaults',
        '--user=mysql',
        f'--datadir={folder}',
        f'--socket={folder}/socket',
        f'--pid-file={folder}/pid',
        f'--port={port}',
        '--bind-address=127.0.0.1',
        '--skip-name-resolve',
        '--max-connections=1000',
        *FAST,
    )
    server.wait_until(
        lambda: process.accepts(('127.0.0.1', port)), 'MariaDB listens', 180
    )
    statements = [f'create database {name}' for name in DATABASES]
    statements += [
        "create user if not exists root@'127.0.0.1' identified by ''",
        "grant all on *.* to root@'127.0.0.1'",
    ]
    client = ('mysql', '--no-defaults', '-S', f'{folder}/socket', '-uroot')
    run.run(*client, '-e', '; '.join(statements))
