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

"""What the hypervisor knows of one guest: libvirt's domain statistics. Pure.

They are there for every guest that runs, whatever its agent does. Some of
the memory's are words of the guest's balloon driver, which may be as wrong as
any of its words: a number out of range counts as not known.

Source: https://libvirt.org/html/libvirt-libvirt-domain.html
(virConnectGetAllDomainStats).
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

_NANO = 1e9
_KIB = 1024
_MAX = (1 << 64) - 1
#: Seconds after which what a balloon driver has said is old news.
_FRESH = 120.0
#: CPUs, disks, interfaces of one kind: more are left out.
MAX_DEVICES = 512


class Vcpu(NamedTuple):
    """A virtual CPU, in seconds.

    :ivar time: that it ran
    :ivar delay: that it was ready and waited for a CPU of the host
    """

    number: int
    time: float
    delay: float | None


class Memory(NamedTuple):
    """In bytes.

    :ivar current: what the host gives the guest
    :ivar total: what the guest's kernel makes of it, without what it keeps
    :ivar free: of it
    :ivar available: what programs can get without swapping
    :ivar cached: disk caches
    """

    current: int | None
    total: int | None
    free: int | None
    available: int | None
    cached: int | None


class Block(NamedTuple):
    """A disk, times in seconds, sizes in bytes.

    :ivar name: the device's in libvirt, ``vda``
    :ivar capacity: what the guest sees
    :ivar allocation: what is taken of the host's storage; libvirt says
        ``physical`` to that, and ``allocation`` to the end of the last sector
        that was written, also of a sparse file
    """

    name: str
    read_operations: int | None
    read_bytes: int | None
    read_time: float | None
    write_operations: int | None
    write_bytes: int | None
    write_time: float | None
    capacity: int | None
    allocation: int | None


class Interface(NamedTuple):
    """A network interface, as the guest sees its directions.

    :ivar name: the device's on the host, ``tap1a2b3c4d-5e``
    """

    name: str
    receive_bytes: int | None
    receive_packets: int | None
    receive_errors: int | None
    receive_drops: int | None
    transmit_bytes: int | None
    transmit_packets: int | None
    transmit_errors: int | None
    transmit_drops: int | None


class Figures(NamedTuple):
    """All of it.

    :ivar timestamp: seconds since the epoch
    :ivar cpu_time: seconds of the whole QEMU process
    """

    timestamp: float
    cpu_time: float | None
    vcpus: tuple[Vcpu, ...]
    memory: Memory
    blocks: tuple[Block, ...]
    interfaces: tuple[Interface, ...]


def read(stats: Mapping[str, Any], timestamp: float) -> Figures:
    """Read the statistics of one domain.

    :param stats: ``vcpu.0.time`` -> nanoseconds ...; anything may be absent
    :param timestamp: when they were asked for, seconds since the epoch
    """
    return Figures(
        timestamp,
        _seconds(stats, 'cpu.time'),
        _vcpus(stats),
        _memory(stats, timestamp),
        tuple(
            _block(stats, name, key)
            for name, key in _devices(stats, 'block').items()
        ),
        tuple(
            _interface(stats, name, key)
            for name, key in _devices(stats, 'net').items()
        ),
    )


def _uint(stats: Mapping[str, Any], key: str) -> int | None:
    value = stats.get(key)
    return value if type(value) is int and 0 <= value <= _MAX else None


def _count(stats: Mapping[str, Any], key: str) -> int:
    return min(_uint(stats, key) or 0, MAX_DEVICES)


def _devices(stats: Mapping[str, Any], kind: str) -> dict[str, str]:
    """Return how the keys of each device start, by its name."""
    keys = [f'{kind}.{n}.' for n in range(_count(stats, f'{kind}.count'))]
    names = [(stats.get(f'{key}name'), key) for key in keys]
    return {name: key for name, key in names if name and type(name) is str}


def _seconds(stats: Mapping[str, Any], key: str) -> float | None:
    value = _uint(stats, key)
    return None if value is None else value / _NANO


def _bytes(stats: Mapping[str, Any], key: str) -> int | None:
    value = _uint(stats, key)
    return None if value is None or value > _MAX // _KIB else value * _KIB


def _vcpus(stats: Mapping[str, Any]) -> tuple[Vcpu, ...]:
    vcpus = []
    for number in range(_count(stats, 'vcpu.maximum')):
        ran = _seconds(stats, f'vcpu.{number}.time')
        if ran is not None:
            delay = _seconds(stats, f'vcpu.{number}.delay')
            vcpus.append(Vcpu(number, ran, delay))
    return tuple(vcpus)


def _memory(stats: Mapping[str, Any], now: float) -> Memory:
    current = _bytes(stats, 'balloon.current')
    said = _uint(stats, 'balloon.last-update') or 0
    # Without a driver they stand still, or were never there.
    if abs(now - said) > _FRESH:
        return Memory(current, None, None, None, None)
    return Memory(
        current,
        _bytes(stats, 'balloon.available'),
        _bytes(stats, 'balloon.unused'),
        _bytes(stats, 'balloon.usable'),
        _bytes(stats, 'balloon.disk_caches'),
    )


def _block(stats: Mapping[str, Any], name: str, key: str) -> Block:
    return Block(
        name,
        _uint(stats, f'{key}rd.reqs'),
        _uint(stats, f'{key}rd.bytes'),
        _seconds(stats, f'{key}rd.times'),
        _uint(stats, f'{key}wr.reqs'),
        _uint(stats, f'{key}wr.bytes'),
        _seconds(stats, f'{key}wr.times'),
        _uint(stats, f'{key}capacity'),
        _uint(stats, f'{key}physical'),
    )


def _interface(stats: Mapping[str, Any], name: str, key: str) -> Interface:
    return Interface(
        name,
        _uint(stats, f'{key}rx.bytes'),
        _uint(stats, f'{key}rx.pkts'),
        _uint(stats, f'{key}rx.errs'),
        _uint(stats, f'{key}rx.drop'),
        _uint(stats, f'{key}tx.bytes'),
        _uint(stats, f'{key}tx.pkts'),
        _uint(stats, f'{key}tx.errs'),
        _uint(stats, f'{key}tx.drop'),
    )
