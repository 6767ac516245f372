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

"""The program ``nova-qga``: its options, its log and its exit code.

It starts quickly, because every script waits for it: what talks to brokers
and to libvirt is imported only by a command that needs it.
"""

import argparse
from collections.abc import Callable, Iterable
import contextlib
from importlib import metadata
import logging
import os
import sys
from typing import Any, TextIO, TYPE_CHECKING
import warnings

from cliff import app
from cliff import commandmanager
from cliff import help as cliff_help

from nova_qga.cli import options as cli_options
from nova_qga.cli import outcome
from nova_qga import errors

if TYPE_CHECKING:
    from nova_qga.cli import compute_api
    from nova_qga.cli import every_host
    from nova_qga.cli import target as cli_target
    from nova_qga.rpc import api as rpc_api

DESCRIPTION = (
    'See into the guests of a compute host, and act in them, through the '
    'QEMU guest agent.'
)
_SIGINT = 130
_SIGPIPE = 141

#: Goes where the options say: to the broker, or to this host's guests.
Connect = Callable[[argparse.Namespace], 'cli_target.Link']
#: Logs in to OpenStack as the options say.
LogIn = Callable[[argparse.Namespace], 'compute_api.ComputeApi']


class Shell(app.App):
    """The application: options that all commands have, and how they end."""

    NAME = 'nova-qga'
    LOG = logging.getLogger(NAME)

    def __init__(
        self,
        connect: Connect,
        log_in: LogIn,
        stdin: TextIO | None = None,
        stdout: TextIO | None = None,
        stderr: TextIO | None = None,
    ) -> None:
        super().__init__(
            description=DESCRIPTION,
            version=metadata.version('nova-qga'),
            command_manager=commandmanager.CommandManager('nova_qga.cli'),
            stdin=stdin,
            stdout=stdout,
            stderr=stderr,
            deferred_help=True,
        )
        self._connect = connect
        self._log_in = log_in
        self._open = contextlib.ExitStack()
        self._made: cli_target.Link | None = None

    def build_option_parser(
        self,
        description: str | None,
        version: str | None,
        argparse_kwargs: dict[str, Any] | None = None,
    ) -> argparse.ArgumentParser:
        # These options may stand behind the command too, so an abbreviation
        # could be meant for one of its own.
        kwargs = {'prog': self.NAME, 'allow_abbrev': False}
        parser = super().build_option_parser(
            description, version, {**kwargs, **(argparse_kwargs or {})}
        )
        cli_options.add_to(parser)
        return parser

    def configure_logging(self) -> None:
        """Show our own words, and those of libraries only if asked for."""
        level = self.options.verbose_level
        root = logging.getLogger()
        root.setLevel(logging.DEBUG)
        console = logging.StreamHandler(self.stderr)
        console.setFormatter(logging.Formatter(self.CONSOLE_MESSAGE_FORMAT))
        if level <= self.DEFAULT_VERBOSE_LEVEL:
            console.setLevel(logging.WARNING if level == 0 else logging.INFO)
            # oslo.messaging repeats at length what ends in one line of ours.
            console.addFilter(logging.Filter(self.NAME))
        else:
            console.setLevel(logging.INFO if level == 2 else logging.DEBUG)
        root.addHandler(console)
        self._open.callback(root.removeHandler, console)
        if self.options.log_file:
            file = logging.FileHandler(self.options.log_file)
            file.setFormatter(logging.Formatter(self.LOG_FILE_MESSAGE_FORMAT))
            root.addHandler(file)
            self._open.callback(root.removeHandler, file)

    def initialize_app(self, argv: list[str]) -> None:
        if not argv and not self.options.deferred_help:
            self.parser.error('which command? "nova-qga --help" lists them')

    def target(self, instance: str) -> 'cli_target.Target':
        """Reach the host of a guest, until the command ends.

        :param instance: as the argument names it
        """
        from nova_qga.cli import target
        from nova_qga.cli import where

        found = where.server(self.options, instance, self._nova)
        link = self._link()
        host = link.here if found.host is None else found.host
        return target.Target(link.api, host, found.uuid)

    def targets(self, instances: Iterable[str]) -> 'list[cli_target.Target]':
        """Reach the hosts of several guests, each once, in their order."""
        found: dict[str, cli_target.Target] = {}
        for each in instances:
            target = self.target(each)
            found.setdefault(target.instance, target)
        return list(found.values())

    def hosts(self) -> 'every_host.Hosts':
        """Reach the hosts that the options name, or all that Nova has."""
        from nova_qga.cli import every_host
        from nova_qga.cli import where

        named = where.hosts(self.options, self._nova)
        link = self._link()
        names = [link.here] if named.names is None else named.names
        return every_host.Hosts(link.api, names, named.left_out)

    def every_host(
        self, question: 'Callable[[rpc_api.Api, str], every_host.Result]'
    ) -> 'every_host.Answers':
        """Ask these hosts.

        :param question: asks the host of a name
        """
        from nova_qga.cli import every_host

        return every_host.ask(self.hosts(), question, self.LOG)

    def _link(self) -> 'cli_target.Link':
        """Return the way to hosts, made at the first call."""
        if self._made is None:
            made = self._connect(self.options)
            self._made = self._open.enter_context(made)
        return self._made

    def _nova(self) -> 'compute_api.ComputeApi':
        return self._log_in(self.options)

    def say(self, text: str) -> None:
        """Tell a person what was done, unless --quiet."""
        if self.options.verbose_level:
            # A name of a file may be no text, and holds what its maker liked.
            self.stdout.write(f'{outcome.safe(text)}\n')

    def run(self, argv: list[str]) -> int:
        end = argv.index('--') if '--' in argv else len(argv)
        if any(w.startswith('-') and w.endswith('=--') for w in argv[:end]):
            # argparse loses it, and leaves an empty list in its place.
            self.parser.error('no option has the value "--"')
        with self._open:
            return super().run(argv)

    def run_subcommand(self, argv: list[str]) -> int:
        try:
            factory, name, arguments = self.command_manager.find_command(argv)
        except ValueError:
            return self._unknown(argv)
        command = factory(self, self.options)
        parser = command.get_parser(f'{self.NAME} {name}')
        try:
            return command.run(cli_options.parse(parser, arguments))
        except cliff_help.HelpExit:
            return outcome.ExitCode.OK
        except BrokenPipeError:
            raise
        except Exception as error:
            if name == 'help' and isinstance(error, ValueError):
                return self._unknown(arguments)
            self._report(error)
            return outcome.exit_code(error)

    def _unknown(self, argv: list[str]) -> int:
        matches = self.get_fuzzy_matches(argv[0])
        self.LOG.error(
            '%s: there is no command "%s"; did you mean %s?',
            self.NAME,
            # The others may hold a password.
            outcome.safe(argv[0]),
            ', '.join(f'"{each}"' for each in matches),
        )
        return outcome.ExitCode.USAGE

    def _report(self, error: Exception) -> None:
        if isinstance(error, outcome.Failure | errors.QgaError | OSError):
            message = outcome.safe(str(error))
        else:
            # What it says may be made of anything, a password too.
            message = (
                f'unexpected {type(error).__name__}: this is a bug; --debug '
                'shows where'
            )
        self.LOG.error(
            '%s: %s', self.NAME, message, exc_info=self.options.debug
        )


def _connect(options: argparse.Namespace) -> 'cli_target.Link':
    from oslo_config import cfg

    from nova_qga.cli import target

    return target.connect(
        cfg.CONF,
        local=options.local,
        config_files=options.config_file,
        config_dirs=options.config_dir,
        timeout=options.timeout,
        wait_for_agent=options.wait_for_agent,
    )


def _log_in(options: argparse.Namespace) -> 'compute_api.ComputeApi':
    from nova_qga.cli import compute_api

    return compute_api.connect(options.os_cloud, options.timeout)


def main(argv: list[str] | None = None) -> int:
    """Run a command and return its exit code."""
    if not sys.warnoptions:
        # They are for programmers, and would stand beside what was asked.
        warnings.simplefilter('ignore')
    code: int = outcome.ExitCode.OK
    try:
        try:
            code = Shell(_connect, _log_in).run(
                sys.argv[1:] if argv is None else argv
            )
        finally:
            sys.stdout.flush()
    except BrokenPipeError:
        _drop_output()
        return _SIGPIPE
    except KeyboardInterrupt:
        return _SIGINT
    except OSError as error:
        _drop_output()
        if code == outcome.ExitCode.OK:
            sys.stderr.write(
                f'{Shell.NAME}: cannot write the output: {error.strerror}\n'
            )
            code = outcome.ExitCode.FAILED
    return code


def _drop_output() -> None:
    # Else the interpreter flushes again at its end, and complains.
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
