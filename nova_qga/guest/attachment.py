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

"""Hot-plug the direct channel into a guest that runs.

Live only: what Nova defines anew, as at a hard reboot, is Nova's. A guest
with no virtio-serial controller needs one first. libvirt up to 9.0 at least
refuses to hot-plug one; it is tried all the same, for one that does not.

Source: https://libvirt.org/formatdomain.html#channel; qemu_hotplug.c of
libvirt 9.0, qemuDomainAttachControllerDevice().
"""

from collections.abc import Callable
from concurrent import futures
import contextlib
import dataclasses
import threading
from xml.sax import saxutils

import libvirt
from oslo_log import log as logging

from nova_qga import errors
from nova_qga.guest import description as guest_description
from nova_qga.guest import looks
from nova_qga import text

LOG = logging.getLogger(__name__)

_CONTROLLER = "<controller type='virtio-serial'/>"


_UNSUPPORTED = (
    libvirt.VIR_ERR_OPERATION_UNSUPPORTED,
    libvirt.VIR_ERR_CONFIG_UNSUPPORTED,
)


@dataclasses.dataclass(frozen=True, slots=True)
class Plan:
    """What this host attaches, and to whom.

    :ivar name: the virtio port's name; '' for none
    :ivar path: of the socket, for a domain of a name
    :ivar wanted: whether the policy gives a guest channels, by what its image
        and its flavor say
    """

    name: str
    path: Callable[[str], str]
    wanted: Callable[[bool | None, bool | None], bool]


@dataclasses.dataclass(frozen=True, slots=True)
class Attached:
    """What was done.

    :ivar attached: False where the guest had the channel already
    :ivar controller: a virtio-serial controller was attached for it
    """

    attached: bool
    controller: bool


class Attachment:
    """Attaches to one guest after the other, on connections of its own.

    :param uri: libvirt's
    """

    def __init__(self, uri: str, plan: Plan) -> None:
        self._uri = uri
        self._plan = plan
        # Two at once could both find the channel missing.
        self._lock = threading.Lock()

    def attach(
        self, known: guest_description.Description, timeout: float
    ) -> Attached:
        """Attach the direct channel, unless the guest has it.

        :param timeout: seconds
        :raises ConfigurationError: this host has no direct channel, or its
            socket's path would be too long
        :raises GuestUnavailable: the guest does not run, is being migrated,
            is to have no channel, or has no controller and can get none
        :raises OperationFailed: libvirt refused; the message says why
        :raises ServiceUnavailable: libvirtd is away
        :raises OutcomeUnknown: libvirtd has not answered in time
        """
        self._check(known)
        path = self._plan.path(known.domain)
        ended: futures.Future[Attached] = futures.Future()

        def work() -> None:
            with self._lock:
                if not ended.set_running_or_notify_cancel():
                    return  # Who asked has left.
                try:
                    ended.set_result(self._attach(known.uuid, path))
                except BaseException as error:
                    ended.set_exception(error)

        # A libvirtd that hangs keeps the thread, and nobody else.
        threading.Thread(target=work, name='qga-attach', daemon=True).start()
        try:
            return ended.result(timeout)
        except futures.TimeoutError:
            if ended.cancel():
                raise errors.ServiceUnavailable(
                    'other guests were still being given their channels, and '
                    'nothing was done: try again'
                ) from None
            raise _unknown('libvirtd has not answered in time') from None

    def _check(self, known: guest_description.Description) -> None:
        if not self._plan.name:
            raise errors.ConfigurationError(
                '[qga]direct_channel is empty on this host: there is no '
                'channel to attach'
            )
        if not known.project_id:
            raise errors.GuestUnavailable(
                'declined',
                f'domain {known.uuid} is not one of Nova, and is left alone',
            )
        if not self._plan.wanted(known.image_says, known.flavor_says):
            raise errors.GuestUnavailable(
                'declined',
                f'guest {known.uuid} is to have no channel: its image, its '
                'flavor or [qga]channel_policy of its host says so',
            )

    def _attach(self, uuid: str, path: str) -> Attached:
        try:
            connection = libvirt.open(self._uri)
        except libvirt.libvirtError as error:
            raise errors.ServiceUnavailable(
                f'libvirt at {self._uri}: {text.printable(str(error))}'
            ) from None
        try:
            domain = connection.lookupByUUIDString(uuid)
            _check_runs(domain, uuid)
            xml = domain.XMLDesc(0)
            described = guest_description.parse(xml)
            if described.port(self._plan.name) is not None:
                return Attached(False, False)
            has_one = guest_description.has_controller(xml, 'virtio-serial')
            return self._plug(domain, path, controller=not has_one)
        except libvirt.libvirtError as error:
            if error.get_error_code() == libvirt.VIR_ERR_NO_DOMAIN:
                raise errors.GuestNotFound(uuid) from None
            raise _refused(error) from None
        finally:
            # A connection that broke says so here too.
            with contextlib.suppress(libvirt.libvirtError):
                connection.close()

    def _plug(
        self, domain: libvirt.virDomain, path: str, *, controller: bool
    ) -> Attached:
        """Plug in the channel, and a controller for it where it needs one."""
        if controller:
            _plug_controller(domain)
        try:
            _plug(domain, _channel(self._plan.name, path))
        except libvirt.libvirtError as error:
            if not domain.connect().isAlive():
                raise _unknown(text.printable(str(error))) from None
            if controller:
                _unplug_controller(domain)
            raise
        LOG.info(
            'attached %(name)s to guest %(uuid)s%(controller)s',
            {
                'name': self._plan.name,
                'uuid': domain.UUIDString(),
                'controller': ', with a controller' if controller else '',
            },
        )
        return Attached(True, controller)


def _check_runs(domain: libvirt.virDomain, uuid: str) -> None:
    state = looks.STATES.get(domain.state()[0], 'nostate')
    if state != 'running':
        raise errors.GuestUnavailable(
            state,
            f'guest {uuid} is {state}: a channel can be attached while it '
            'runs; Nova gives it one when it next starts it',
        )
    if domain.jobInfo()[0] != libvirt.VIR_DOMAIN_JOB_NONE:
        raise errors.GuestUnavailable(
            'busy',
            f'guest {uuid} is being migrated or saved: attach the channel '
            'when that has ended, on the host where it runs then',
        )


def _channel(name: str, path: str) -> str:
    return (
        "<channel type='unix'>"
        f"<source mode='bind' path={saxutils.quoteattr(path)}/>"
        f"<target type='virtio' name={saxutils.quoteattr(name)}/>"
        '</channel>'
    )


def _plug(domain: libvirt.virDomain, xml: str) -> None:
    domain.attachDeviceFlags(xml, libvirt.VIR_DOMAIN_AFFECT_LIVE)


def _plug_controller(domain: libvirt.virDomain) -> None:
    try:
        _plug(domain, _CONTROLLER)
    except libvirt.libvirtError as error:
        if error.get_error_code() not in _UNSUPPORTED:
            raise
        raise errors.GuestUnavailable(
            'no_controller',
            f'guest {domain.UUIDString()} has no virtio-serial controller, '
            'and this libvirt adds none to a guest that runs: reboot it hard '
            'to have it built anew by Nova',
        ) from None


def _unplug_controller(domain: libvirt.virDomain) -> None:
    try:
        domain.detachDeviceFlags(_CONTROLLER, libvirt.VIR_DOMAIN_AFFECT_LIVE)
    except libvirt.libvirtError as error:
        # Harmless: the next attempt finds it, and Nova's XML has it anyway.
        LOG.warning(
            'guest %s keeps the virtio-serial controller that was attached '
            'for a channel in vain: %s',
            domain.UUIDString(),
            text.printable(str(error)),
        )


def _unknown(why: str) -> errors.OutcomeUnknown:
    return errors.OutcomeUnknown(
        f'{why}: the channel may have been attached, or may still be; list '
        'the guest before you repeat it'
    )


def _refused(error: libvirt.libvirtError) -> errors.QgaError:
    said = text.printable(str(error))
    advice = ''
    if 'PCI' in said:
        advice = (
            '. The guest has no free PCI slot: machines of type q35 need '
            '[libvirt]num_pcie_ports in nova.conf, and a hard reboot gives '
            'it the channel in any case'
        )
    return errors.OperationFailed(f'libvirt says: {said}{advice}')
