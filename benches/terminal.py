#!/usr/bin/env python3
"""Makes an SVG of a terminal from the text of a session on standard input.

    python3 benches/terminal.py < session.txt > docs/terminal.svg

Lines that begin with "$ " are commands. A line "..." stands for lines that were left out. The README's picture is study 1 of
benches/records/2026-11-30-default, repeated from a fresh clone; its last lines are of a second call on the finished study.
"""
import html
import sys

SIZE, WIDTH, LINE, MARGIN = 14, 8.43, 20, 16  # pixels: font, column, line, margin

lines = sys.stdin.read().rstrip("\n").split("\n")
width = round(max(map(len, lines)) * WIDTH + 2 * MARGIN)
height = len(lines) * LINE + 2 * MARGIN
print(
    f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}" '
    f'font-family="DejaVu Sans Mono, Menlo, Consolas, monospace" font-size="{SIZE}">'
)
print(f'<rect width="{width}" height="{height}" rx="8" fill="#1e1e24"/>')
for number, line in enumerate(lines):
    colour = "#8fd18f" if line.startswith("$ ") else "#8a8a94" if line == "..." else "#e4e4e8"
    y = MARGIN + LINE * number + SIZE
    print(f'<text x="{MARGIN}" y="{y}" fill="{colour}" xml:space="preserve">{html.escape(line)}</text>')
print("</svg>")
