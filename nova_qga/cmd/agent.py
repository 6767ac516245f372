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

"""The program ``nova-qga-agent``.

It has a signal loop of its own: on SIGHUP, oslo.service's launchers start the
process anew or end it, and libvirt's events do not survive a fork.
"""

from collections.abc import Sequence
import logging as python_logging
import os
import signal
import sys

from oslo_config import cfg
from oslo_log import log as logging
from oslo_reports import guru_meditation_report as gmr
from oslo_reports import opts as gmr_opts

from nova_qga.agent import assembly
from nova_qga.agent import core_dumps
from nova_qga.agent import readiness
from nova_qga.agent import service as agent_service
from nova_qga import conf as qga_conf
from nova_qga.conf import files
from nova_qga import errors
from nova_qga import version

LOG = logging.getLogger(__name__)

PROGRAM = 'nova-qga-agent'

CLI_OPTS = [
    cfg.BoolOpt(
        'rotate-key',
        default=False,
        help='Make a new key that secrets are sealed to, print its id and '
        'end; an agent that runs uses it at once, and the old one for '
        '[qga_operations]old_key_lifetime seconds more',
    )
]


def main(argv: Sequence[str] | None = None) -> int:
    """Run until SIGTERM or SIGINT; the exit code is 0 then, 1 otherwise.

    It is also 1 where requests cannot be served: systemd starts it anew.
    """
    conf = cfg.CONF
    failure: Exception | None = None
    try:
        _configure(conf, sys.argv[1:] if argv is None else argv)
        if conf.rotate_key:
            return _rotate_key(conf)
        _start_log(conf)
        core_dumps.forbid()
        signals = _catch_signals()
        service = agent_service.Service(conf, _tell_ready, _give_up)
        service.start()
    except (errors.ConfigurationError, cfg.Error) as error:
        failure = error
    if failure is not None:
        # While it is handled, oslo.log would write it twice into the line.
        _complain(conf, failure)
        return 1
    LOG.info('%s %s started', PROGRAM, version.version_string_with_package())
    _run(conf, service, signals)
    readiness.notify('STOPPING=1')
    service.stop()
    LOG.info('%s stopped', PROGRAM)
    python_logging.shutdown()
    # Threads that wait for a guest or the broker would hold up the exit.
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0 if service.failed is None else 1)


def _configure(conf: cfg.ConfigOpts, argv: Sequence[str]) -> None:
    logging.register_options(conf)
    qga_conf.register_opts(conf)
    conf.register_cli_opts(CLI_OPTS)
    gmr_opts.set_defaults(conf)
    named = any(word.startswith('--config-file') for word in argv)
    conf(
        list(argv),
        project='nova-qga',
        prog=PROGRAM,
        version=version.version_string_with_package(),
        default_config_files=[] if named else files.existing(),
    )


def _rotate_key(conf: cfg.ConfigOpts) -> int:
    """Do what --rotate-key asks for, with no log: root may have no part in it.

    A log file that root begins could not be written by the agent's user.
    """
    try:
        print(assembly.rotate_key(conf))
    except errors.ServiceUnavailable as error:
        print(f'{PROGRAM}: no key was made: {error}', file=sys.stderr)
        return 1
    return 0


def _start_log(conf: cfg.ConfigOpts) -> None:
    logging.setup(conf, PROGRAM)
    _keep_messages_out_of_the_log()
    gmr.TextGuruMeditation.setup_autorun(
        version, service_name=PROGRAM, conf=conf
    )


def _keep_messages_out_of_the_log() -> None:
    """Drop what libraries would tell too much with, however they are set.

    At its level TRACE oslo.messaging logs each message whole: passwords,
    keys, content. urllib3 logs addresses, whose paths may be secret, and the
    headers of answers.
    """
    # oslo.log writes the first underscore of a name as a dot.
    for package in ('oslo.messaging', 'oslo_messaging'):
        logger = python_logging.getLogger(f'{package}._drivers.impl_rabbit')
        logger.addFilter(lambda record: record.levelno >= python_logging.DEBUG)
    for module in ('connection', 'connectionpool', 'poolmanager'):
        logger = python_logging.getLogger(f'urllib3.{module}')
        logger.addFilter(lambda _: False)


def _catch_signals() -> int:
    """Return a file descriptor that gives the numbers of signals."""
    read, write = os.pipe()
    os.set_blocking(write, False)
    signal.set_wakeup_fd(write)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda *_: None)
    return read


def _run(
    conf: cfg.ConfigOpts, service: agent_service.Service, signals: int
) -> None:
    """Act on signals until one says to stop."""
    while True:
        for number in os.read(signals, 64):
            if number in (signal.SIGTERM, signal.SIGINT):
                return
            if number == signal.SIGHUP:
                _reload(conf, service)


def _reload(conf: cfg.ConfigOpts, service: agent_service.Service) -> None:
    try:
        conf.mutate_config_files()
    except (cfg.Error, ValueError, OSError) as error:
        LOG.error('the configuration stays as it was: %s', error)
        return
    service.reset()


def _tell_ready() -> None:
    readiness.notify('READY=1')


def _give_up() -> None:
    os.kill(os.getpid(), signal.SIGTERM)


def _complain(conf: cfg.ConfigOpts, error: Exception) -> None:
    """Say why it does not start, where a person will look."""
    LOG.critical('%s does not start: %s', PROGRAM, error)
    try:
        elsewhere = conf.log_file or conf.log_dir
    except cfg.Error:
        elsewhere = None
    if elsewhere:
        print(f'{PROGRAM} does not start: {error}', file=sys.stderr)
