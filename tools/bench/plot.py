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

"""Draw how the cost of an agent grows with its guests, as SVG.

By hand: two small charts need no library, and the same figures always make
the same text.
"""

from collections.abc import Sequence
from xml.sax import saxutils

import hosts

WIDTH, HEIGHT = 340, 220
#: Around a chart: left, top, right, bottom.
MARGIN = 52, 28, 16, 40
COLOURS = {hosts.NO_OP: '#1f6fb4', hosts.BATCHED: '#c2410c'}

Points = Sequence[tuple[float, float]]

_HEAD = (
    '<svg xmlns="http://www.w3.org/2000/svg" width="{width}" '
    'height="{height}" viewBox="0 0 {width} {height}" '
    'font-family="sans-serif" font-size="11">\n'
    '<rect width="100%" height="100%" fill="white"/>\n'
)


def growth(results: hosts.Results) -> str:
    """Return the drawing of agents all of whose guests answer."""
    share: dict[str, list[tuple[float, float]]] = {}
    memory: dict[str, list[tuple[float, float]]] = {}
    for host, run in sorted(results.items(), key=lambda each: each[0].guests):
        if host.publishing not in COLOURS or host.troubled:
            continue
        percent = run['round_cpu_ms'] / run['interval_ms'] * 100
        share.setdefault(host.publishing, []).append((host.guests, percent))
        mebibytes = run['rss_kib'] / 1024
        memory.setdefault(host.publishing, []).append((host.guests, mebibytes))
    return (
        _HEAD.format(width=2 * WIDTH, height=HEIGHT + 20)
        + _chart(0, 'CPU, % of one core', share)
        + _chart(WIDTH, 'Resident memory, MiB', memory)
        + _legend(list(share))
        + '</svg>\n'
    )


def step(most: float) -> float:
    """Return the distance of marks, so that there are 3 to 7 up to ``most``.

    It is 1, 2 or 5 times a power of ten.
    """
    distance = 0.1
    while True:
        for factor in (1, 2, 5):
            if most / (distance * factor) <= 6:
                return distance * factor
        distance *= 10


def _chart(left: float, title: str, curves: dict[str, Points]) -> str:
    points = [point for curve in curves.values() for point in curve]
    most_x, most_y = (max(values) for values in zip(*points, strict=True))
    marks_x, marks_y = _marks(most_x), _marks(most_y)

    def x(value: float) -> float:
        inner = WIDTH - MARGIN[0] - MARGIN[2]
        return left + MARGIN[0] + value / marks_x[-1] * inner

    def y(value: float) -> float:
        inner = HEIGHT - MARGIN[1] - MARGIN[3]
        return HEIGHT - MARGIN[3] - value / marks_y[-1] * inner

    parts = [
        _text(left + WIDTH / 2, 16, title, 'middle', ' font-weight="bold"')
    ]
    for mark in marks_y:
        parts.append(_line(x(0), y(mark), x(marks_x[-1]), y(mark)))
        parts.append(_text(x(0) - 6, y(mark) + 4, f'{mark:,g}', 'end'))
    for mark in marks_x:
        parts.append(_line(x(mark), y(0), x(mark), y(0) + 4))
        parts.append(_text(x(mark), y(0) + 17, f'{mark:,g}', 'middle'))
    parts.append(_text(left + WIDTH / 2, y(0) + 33, 'guests', 'middle'))
    for name, curve in curves.items():
        parts.append(_curve([(x(a), y(b)) for a, b in curve], COLOURS[name]))
    return ''.join(parts)


def _marks(most: float) -> list[float]:
    distance = step(most)
    count = -int(-most // distance)
    return [distance * number for number in range(count + 1)]


def _curve(points: Points, colour: str) -> str:
    path = ' '.join(f'{x:.1f},{y:.1f}' for x, y in points)
    dots = ''.join(
        f'<circle cx="{x:.1f}" cy="{y:.1f}" r="2.5" fill="{colour}"/>\n'
        for x, y in points
    )
    line = f'<polyline points="{path}" fill="none" stroke="{colour}"/>\n'
    return line + dots


def _legend(names: Sequence[str]) -> str:
    parts = []
    for number, name in enumerate(names):
        left = MARGIN[0] + number * 260
        parts.append(
            f'<rect x="{left}" y="{HEIGHT + 4}" width="10" height="10" '
            f'fill="{COLOURS[name]}"/>\n'
        )
        told = f'published to {name}' if name == hosts.NO_OP else name
        parts.append(_text(left + 16, HEIGHT + 13, told, 'start'))
    return ''.join(parts)


def _text(x: float, y: float, text: str, anchor: str, more: str = '') -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"{more}>'
        f'{saxutils.escape(text)}</text>\n'
    )


def _line(x1: float, y1: float, x2: float, y2: float) -> str:
    return (
        f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" '
        'stroke="#bbbbbb"/>\n'
    )
