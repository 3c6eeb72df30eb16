#!/usr/bin/env python3
"""A terminal's screen as SVG: how the pictures of the documents are made.

usage: tmux capture-pane -pe | share/doc/pictures/picture.py >screen.svg

Understands what tmux prints: SGR sequences and text.  The colours are those of
a dark terminal.
"""
import re
import sys
import unicodedata
from xml.sax.saxutils import escape

WIDE, HIGH = 8.4, 17
BACK, FORE = "#16191d", "#d7dae0"
COLOURS = ["#3b4048", "#e06c75", "#98c379", "#e5c07b", "#61afef", "#c678dd", "#56b6c2", "#d7dae0",
           "#6b7280", "#ff7b86", "#b5e08d", "#ffd88c", "#82c4ff", "#df9bf0", "#7fd4de", "#ffffff"]
SGR = re.compile(r"\x1b\[([0-9;]*)m|\x1b[()][A-Z0-9]|[\x0e\x0f]")


def colour(codes):
    """Behind 38 or 48: 5;N or 2;R;G;B."""
    kind = codes.pop(0)
    if kind == 2:
        return "#%02x%02x%02x" % (codes.pop(0), codes.pop(0), codes.pop(0))
    n = codes.pop(0)
    if n < 16:
        return COLOURS[n]
    if n >= 232:
        return "#%02x%02x%02x" % ((8 + 10 * (n - 232),) * 3)
    n -= 16
    return "#%02x%02x%02x" % tuple(0 if v == 0 else 55 + 40 * v for v in (n // 36, n // 6 % 6, n % 6))


def apply(style, text):
    codes = [int(c) if c else 0 for c in text.split(";")]
    while codes:
        c = codes.pop(0)
        if c == 0:
            style.clear()
        elif c in (1, 2, 4, 7):
            style[c] = True
        elif c in (22, 24, 27):
            for k in {22: (1, 2), 24: (4,), 27: (7,)}[c]:
                style.pop(k, None)
        elif c in (38, 48):
            style["fore" if c == 38 else "back"] = colour(codes)
        elif 30 <= c <= 37 or 90 <= c <= 97:
            style["fore"] = COLOURS[c - 30 if c < 90 else c - 82]
        elif 40 <= c <= 47 or 100 <= c <= 107:
            style["back"] = COLOURS[c - 40 if c < 100 else c - 92]
        elif c in (39, 49):
            style.pop("fore" if c == 39 else "back", None)


def spans(line, style):
    """(text, attributes) of one line; ${style} goes on from line to line."""
    at = 0
    for m in SGR.finditer(line):
        if m.start() > at:
            yield line[at:m.start()], dict(style)
        if m[1] is not None:
            apply(style, m[1])
        at = m.end()
    if at < len(line):
        yield line[at:], dict(style)


def columns(text):
    return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1
               for c in text)


def main():
    lines = sys.stdin.read().rstrip("\n").split("\n")
    width = max(columns(SGR.sub("", line)) for line in lines)
    out, style = [], {}
    for row, line in enumerate(lines):
        x = 0
        for text, s in spans(line, style):
            fore, back = s.get("fore", FORE), s.get("back")
            if s.get(7):
                fore, back = back or BACK, fore
            n = columns(text)
            if back:
                out.append(f'<rect x="{12 + x * WIDE:.1f}" y="{12 + row * HIGH}" width="{n * WIDE:.1f}" '
                           f'height="{HIGH}" fill="{back}"/>')
            more = (' font-weight="bold"' if s.get(1) else "") + (' opacity="0.6"' if s.get(2) else "") + \
                (' text-decoration="underline"' if s.get(4) else "")
            if text.strip():
                out.append(f'<text x="{12 + x * WIDE:.1f}" y="{12 + row * HIGH + 13}" fill="{fore}"{more} '
                           f'textLength="{n * WIDE:.1f}" xml:space="preserve">{escape(text)}</text>')
            x += n
    print(f'<svg xmlns="http://www.w3.org/2000/svg" width="{24 + width * WIDE:.0f}" '
          f'height="{24 + len(lines) * HIGH}" font-family="ui-monospace, Menlo, Consolas, DejaVu Sans Mono, '
          f'monospace" font-size="14">')
    print(f'<rect width="100%" height="100%" rx="8" fill="{BACK}"/>')
    print("\n".join(out))
    print("</svg>")


main()
