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

"""Are the options what their readers need?

All of nova-qga's own are looked at: a wrong value, a name that nobody reads,
a plugin that is not installed, a folder that is missing. Options of others
are left alone, and nothing of the value of a secret one is shown.
"""

from collections.abc import Iterator
import difflib
from importlib import metadata
import os
import pathlib
from typing import Any

from oslo_config import cfg

from nova_qga.agent import plugins
from nova_qga.checks import finding
from nova_qga import conf as qga_conf
from nova_qga.nova_extension import channel

#: A guest of Nova's usual template for names.
_GUEST = 'instance-00000001'
#: Read by the agent and the command line alone.
_AGENT_FILE = 'nova-qga.conf'


def check(
    conf: cfg.ConfigOpts, *, has_guests: bool = True
) -> list[finding.Finding]:
    """Look at all options.

    :param conf: configuration that was read, with our options registered
    :param has_guests: whether guests run on this host
    """
    files = config_files(conf)
    found = [*_wrong_values(conf), *_names_nobody_reads(files)]
    found += _plugins_not_installed(conf)
    if has_guests:
        found += _wrong_channels(conf)
    if found:
        return found
    read = ', '.join(files) or 'no file: all have their defaults'
    return finding.good(f'read from {read}')


def value(conf: cfg.ConfigOpts, group: str, opt: str) -> Any:
    """Return an option's value, or its default where that is wrong."""
    try:
        return conf[group][opt]
    except (cfg.Error, ValueError):
        [default] = [
            each.default
            for known, opts in qga_conf.list_opts()
            for each in opts
            if (known.name, each.dest) == (group, opt)
        ]
        return default


def config_files(conf: cfg.ConfigOpts) -> list[str]:
    """Return the files that were read, in their order."""
    files = list(conf.config_file or ())
    for folder in conf.config_dir or ():
        files += map(str, sorted(pathlib.Path(folder).glob('*.conf')))
    return files


def _wrong_values(conf: cfg.ConfigOpts) -> Iterator[finding.Finding]:
    for group, opts in qga_conf.list_opts():
        for opt in opts:
            try:
                conf[group.name][opt.dest]
            except (cfg.Error, ValueError) as error:
                reason = 'it is wrong' if opt.secret else str(error)
                yield from finding.failure(
                    f'[{group.name}]{opt.dest}: {reason}. Correct it'
                )


def _names_nobody_reads(files: list[str]) -> Iterator[finding.Finding]:
    for file in files:
        sections: dict[str, dict[str, Any]] = {}
        cfg.ConfigParser(file, sections).parse()
        for section, options in sections.items():
            yield from _strangers(file, section, options)


def _strangers(
    file: str, section: str, options: dict[str, Any]
) -> Iterator[finding.Finding]:
    known = {group.name: _names(opts) for group, opts in qga_conf.list_opts()}
    if section not in known:
        if section.startswith('qga'):
            yield from finding.warning(
                f'{file} has a section [{section}], which nobody reads'
                f'{_perhaps(section, known, "[{}]")}'
            )
        return
    for name in options:
        if name not in known[section]:
            yield from finding.warning(
                f'{file} has an option {name} in [{section}], which nobody '
                f'reads{_perhaps(name, known[section], "{}")}'
            )
    if section == 'qga' and pathlib.Path(file).name == _AGENT_FILE:
        yield from finding.warning(
            f'{file} has a section [qga], and nova-compute does not read '
            'that file: move it to nova.conf, which both read'
        )


def _names(opts: Any) -> set[str]:
    old = {each.name for opt in opts for each in opt.deprecated_opts}
    return old | {opt.dest for opt in opts}


def _perhaps(name: str, known: Any, form: str) -> str:
    similar = difflib.get_close_matches(name, known, n=1)
    if not similar:
        return ': remove it, or correct its name'
    return f'. Is it meant for {form.format(similar[0])}? Correct its name'


def _plugins_not_installed(
    conf: cfg.ConfigOpts,
) -> Iterator[finding.Finding]:
    for namespace, opt in (
        (plugins.COLLECTORS, 'collectors'),
        (plugins.PUBLISHERS, 'publishers'),
    ):
        points = metadata.entry_points(group=namespace)
        for name in value(conf, 'qga_monitor', opt):
            if name not in points.names:
                yield from finding.failure(
                    f'[qga_monitor]{opt} names {name}, which is not '
                    'installed, and the agent does not start: install it, '
                    f'or choose among {", ".join(sorted(points.names))}'
                )
                continue
            try:
                points[name].load()
            except Exception as error:
                yield from finding.failure(
                    f'[qga_monitor]{opt} names {name}, which does not load '
                    f'({type(error).__name__}: {error}), and the agent does '
                    'not start: install what it needs, or remove the name'
                )


def _wrong_channels(conf: cfg.ConfigOpts) -> list[finding.Finding]:
    """Look at what only shows on the host: the sockets' folder."""
    settings = channel.ChannelSettings(
        channel_policy=channel.Policy(value(conf, 'qga', 'channel_policy')),
        direct_channel=value(conf, 'qga', 'direct_channel'),
        direct_channel_dir=value(conf, 'qga', 'direct_channel_dir'),
    )
    if (
        not value(conf, 'qga', 'enabled')
        or settings.channel_policy is channel.Policy.NONE
        or not settings.direct_channel
    ):
        return []
    try:
        channel.channels_of(settings, _GUEST)
    except channel.ChannelPathTooLong as error:
        return finding.failure(
            f'{error}. Until then nova-compute gives guests no channel of ours'
        )
    return _missing_folder(settings.direct_channel_dir)


def _missing_folder(path: str) -> list[finding.Finding]:
    if path == channel.LIBVIRT_DIR:
        return []  # libvirt makes its own
    try:
        os.stat(os.path.join(path, ''))
    except PermissionError:
        return finding.warning(
            f'[qga]direct_channel_dir {path} cannot be looked at by this '
            'user: run this as root'
        )
    except OSError as error:
        return finding.failure(
            f'[qga]direct_channel_dir {path} cannot be used '
            f'({error.strerror}): make it, writable for the user that QEMU '
            'runs as, on every compute host'
        )
    return []
