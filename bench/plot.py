"""Draws docs/bench.svg: copy speed over size, one panel per direction, logarithmic axes. Standard library only."""
import math
from xml.sax.saxutils import escape

SERIES = (('accessor', 'accessor', '#0b6e4f', 2.6), ('memcpy', 'glibc memcpy', '#555555', 1.4),
          ('guarded', 'sigsetjmp + memcpy', '#c77d0a', 1.4), ('process_vm', 'process_vm_readv/writev', '#b03a48', 1.4))
PANEL_WIDTH, PANEL_HEIGHT, LEFT, TOP, GAP = 380, 300, 62, 62, 66
SIZES = (1, 16, 256, 4096, 65536, 1 << 20, 16 << 20)


def size_label(size):
    for unit, name in ((1 << 20, 'M'), (1 << 10, 'K')):
        if size >= unit:
            return f'{size // unit}{name}'
    return str(size)


class Panel:
    """One direction's axes: maps size and GB/s to the picture."""

    def __init__(self, left, records):
        self.left = left
        speeds = [r['size'] / r[name] for r in records for name, *_ in SERIES]
        self.low = math.floor(math.log10(min(speeds)))
        self.high = math.ceil(math.log10(max(speeds)))
        self.last = math.log2(max(r['size'] for r in records)) or 1

    def x(self, size):
        return self.left + PANEL_WIDTH * math.log2(size) / self.last

    def y(self, speed):
        return TOP + PANEL_HEIGHT * (self.high - math.log10(speed)) / (self.high - self.low)

    def axes(self):
        parts = []
        for power in range(self.low, self.high + 1):
            y = self.y(10.0 ** power)
            parts.append(f'<line x1="{self.left}" y1="{y:.1f}" x2="{self.left + PANEL_WIDTH}" y2="{y:.1f}" stroke="#dddddd"/>')
            parts.append(f'<text x="{self.left - 6}" y="{y + 4:.1f}" text-anchor="end">{10.0 ** power:g}</text>')
        for size in SIZES:
            if math.log2(size) <= self.last:
                x = self.x(size)
                parts.append(f'<line x1="{x:.1f}" y1="{TOP}" x2="{x:.1f}" y2="{TOP + PANEL_HEIGHT}" stroke="#eeeeee"/>')
                parts.append(f'<text x="{x:.1f}" y="{TOP + PANEL_HEIGHT + 16}" text-anchor="middle">{size_label(size)}</text>')
        return parts

    def line(self, records, name, color, width):
        points = ' '.join(f'{self.x(r["size"]):.1f},{self.y(r["size"] / r[name]):.1f}' for r in records)
        return f'<polyline points="{points}" fill="none" stroke="{color}" stroke-width="{width}"/>'


def write(path, records, processor):
    """records: dictionaries with direction, size in bytes and, per series, ns per copy."""
    directions = sorted({r['direction'] for r in records})
    width = LEFT + len(directions) * (PANEL_WIDTH + GAP)
    height = TOP + PANEL_HEIGHT + 62
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
             'font-family="sans-serif" font-size="12">', f'<rect width="{width}" height="{height}" fill="#ffffff"/>',
             f'<text x="{LEFT}" y="18" font-size="14">Copy speed, GB/s over bytes per copy; {escape(processor)}</text>']
    for i, direction in enumerate(directions):
        own = [r for r in records if r['direction'] == direction]
        panel = Panel(LEFT + i * (PANEL_WIDTH + GAP), own)
        parts += panel.axes()
        parts.append(f'<text x="{panel.left}" y="{TOP - 10}" font-size="13">Copy {escape(direction)}</text>')
        parts += [panel.line(own, name, color, line) for name, _, color, line in reversed(SERIES)]
    x = LEFT
    for _, label, color, line in SERIES:
        y = height - 16
        parts.append(f'<line x1="{x}" y1="{y - 4}" x2="{x + 26}" y2="{y - 4}" stroke="{color}" stroke-width="{line}"/>')
        parts.append(f'<text x="{x + 32}" y="{y}">{escape(label)}</text>')
        x += 60 + 7 * len(label)
    parts.append('</svg>')
    with open(path, 'w', encoding='utf-8') as out:
        out.write('\n'.join(parts) + '\n')
