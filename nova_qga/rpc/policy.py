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

"""Who may do what: one rule an operation, in five classes.

Source: https://docs.openstack.org/oslo.policy/latest/
"""

from collections.abc import Iterable, Mapping
import threading

from oslo_config import cfg
from oslo_log import log as logging
from oslo_policy import policy

from nova_qga import errors
from nova_qga.rpc.catalog import base
from nova_qga.rpc.catalog import loading
from nova_qga.rpc import user as rpc_user

LOG = logging.getLogger(__name__)

_ADMIN = 'rule:qga:admin'
_OWNER = 'project_id:%(project_id)s'

#: What is asked of the host itself.
_HOST_RULES = (
    ('list_guests', _ADMIN, 'List the guests of a compute host.'),
    (
        'get_coverage',
        _ADMIN,
        'Tell of all guests of a compute host whether they can be reached.',
    ),
    (
        'get_public_key',
        f'{_ADMIN} or role:member',
        'Return the key of a compute host that secrets are sealed to.',
    ),
)

_CLASSES = {
    base.Access.AUDIT: (
        f'{_ADMIN} or {_OWNER}',
        'What tells of a guest and changes nothing.',
    ),
    base.Access.FILE_READ: (_ADMIN, 'What reads files of a guest.'),
    base.Access.FILE_WRITE: (_ADMIN, 'What writes files of a guest.'),
    base.Access.FILESYSTEM_MANAGEMENT: (
        _ADMIN,
        'What freezes, thaws and trims filesystems of a guest.',
    ),
    base.Access.UNRESTRICTED: (
        _ADMIN,
        'What gives a way into a guest, or ends it.',
    ),
}


def rules(operations: Iterable[base.Operation]) -> list[policy.RuleDefault]:
    """Return the rules, with their defaults."""
    found = [
        policy.RuleDefault(
            'qga:admin',
            'role:admin or is_admin:True',
            'Who administers the cloud.',
        )
    ]
    for access, (check, description) in _CLASSES.items():
        found.append(policy.RuleDefault(f'qga:{access}', check, description))
    for name, check, description in _HOST_RULES:
        found.append(policy.RuleDefault(f'qga:{name}', check, description))
    for operation in operations:
        check = (
            '!' if operation.off_by_default else f'rule:qga:{operation.access}'
        )
        found.append(
            policy.RuleDefault(
                f'qga:{operation.name}',
                check,
                f'Run ``{operation.name}`` in a guest.',
            )
        )
    for name, description in (
        ('get_metrics', 'Sample a guest now.'),
        (
            'get_usage',
            'Tell what the guests of a compute host use, those of a project '
            'or of all.',
        ),
        ('get_operation', 'Tell how a request to a guest stands or ended.'),
    ):
        found.append(
            policy.RuleDefault(
                f'qga:{name}', f'rule:qga:{base.Access.AUDIT}', description
            )
        )
    return found


def list_rules() -> list[policy.RuleDefault]:
    """Return the rules of all that is installed, for oslo.policy's tools."""
    return rules(loading.load().values())


class Policy:
    """The rules of this host; its file is read again when it changes.

    :param file: of rules that are not as by default; need not be there
    """

    def __init__(
        self, file: str, operations: Mapping[str, base.Operation]
    ) -> None:
        self._lock = threading.Lock()
        self._file = file
        # A configuration of its own: what stands beside nova.conf is Nova's.
        conf = cfg.ConfigOpts()
        conf([], default_config_files=[], default_config_dirs=[])
        self._enforcer = policy.Enforcer(conf, policy_file=file)
        conf.set_override('policy_dirs', [], 'oslo_policy')
        self._enforcer.register_defaults(rules(operations.values()))
        #: Rules of the file that decide nothing, as last said.
        self._unused: set[str] = set()
        #: The file could not be read the last time.
        self._broken = False

    def check(self, name: str, user: rpc_user.User, project_id: str) -> None:
        """Refuse what the user may not do.

        :param name: of an operation
        :param project_id: of the guest; '' where it has none
        :raises Denied: the rule does not allow it
        """
        # An empty one would be that of every user without a project.
        target = {'project_id': project_id} if project_id else {}
        with self._lock:
            try:
                if self._broken:
                    # Else the rules from before it broke would hold.
                    self._enforcer.load_rules(True)
                allowed = self._enforcer.enforce(
                    f'qga:{name}', target, user.credentials()
                )
            except Exception as error:
                raise self._unusable(error) from None
            self._broken = False
            self._warn_of_unused()
        if not allowed:
            who = (
                'this user'
                if any((user.user_id, user.project_id, user.roles))
                else 'a request whose context names no user'
            )
            raise errors.Denied(
                f'the policy does not let {who} do {name}: see the rule '
                f'qga:{name}, which [qga_operations]policy_file may change'
            )

    def _warn_of_unused(self) -> None:
        """Name rules of ours that no operation has: a name may be mistyped."""
        known = self._enforcer.registered_rules
        rules_of_file = self._enforcer.file_rules
        found = {
            name
            for name in rules_of_file
            if name.startswith('qga:') and name not in known
        }
        # A rule may be there for others to refer to.
        checks = ' '.join(
            str(each.check_str) for each in rules_of_file.values()
        )
        unused = {name for name in found if f'rule:{name}' not in checks}
        if unused - self._unused:
            LOG.warning(
                '%s names rules that no operation has: %s',
                self._file,
                ', '.join(sorted(unused)),
            )
        self._unused = unused

    def _unusable(self, error: Exception) -> errors.Denied:
        """Return that a file which cannot be read allows nothing."""
        if not self._broken:
            self._broken = True
            LOG.error(
                'the policy in %s cannot be used, so every request is '
                'denied: %s',
                self._file,
                error,
            )
        return errors.Denied(
            f'the policy in {self._file} cannot be used '
            f'({type(error).__name__}): correct it'
        )
