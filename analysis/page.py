"""The report's HTML page: one self-contained file, readable on a screen and printed."""

from __future__ import annotations

from html import escape

from analysis.drawing import Look, Picture

STYLE = """
:root { color-scheme: light; }
body { font: 15px/1.45 system-ui, "DejaVu Sans", sans-serif; color: #1a1a1a; background: #fff; margin: 0 auto;
  max-width: 1120px; padding: 18px 24px; }
h1 { font-size: 22px; margin: 0 0 2px; }
h2 { font-size: 17px; margin: 30px 0 6px; border-bottom: 1px solid #ccc; padding-bottom: 3px; }
p { margin: 6px 0; }
.meta, figcaption, .small { color: #444; font-size: 13px; }
.answer { font-size: 16px; margin: 10px 0; padding: 0; list-style: none; }
.answer li { margin: 4px 0; padding-left: 36px; position: relative; }
.swatch { vertical-align: middle; margin-right: 8px; }
.answer .swatch { position: absolute; left: 0; top: 9px; }
.warning { border: 2px solid #b00020; padding: 6px 10px; margin: 8px 0; color: #8a0018; font-weight: 600; }
table { border-collapse: collapse; margin: 8px 0; font-size: 13.5px; font-variant-numeric: tabular-nums; }
th, td { text-align: right; padding: 3px 9px; border-bottom: 1px solid #ddd; vertical-align: top; }
th { border-bottom: 2px solid #555; font-weight: 600; }
th:first-child, td:first-child { text-align: left; }
.interval { color: #555; font-size: 12px; white-space: nowrap; }
.wide { overflow-x: auto; }
.arm { display: inline-block; min-width: 150px; max-width: 300px; }
figure { margin: 10px 0 18px; break-inside: avoid; }
figure img { max-width: 100%; height: auto; }
code, pre { font: 12.5px/1.4 ui-monospace, "DejaVu Sans Mono", monospace; background: #f5f5f5; padding: 1px 4px; }
pre { padding: 8px; white-space: pre-wrap; }
ul.notes { font-size: 13px; color: #333; padding-left: 20px; }
@media print { body { max-width: none; padding: 0; font-size: 11pt; } h2 { break-after: avoid; }
  tr { break-inside: avoid; } }
"""


def swatch(style: Look) -> str:
    """The arm's line as the figures draw it."""
    dashes = "" if style.dashes == "-" else ",".join(f"{2.2 * length:g}" for length in style.dashes[1])
    return (
        '<svg class="swatch" width="26" height="6" aria-hidden="true"><line x1="0" y1="3" x2="26" y2="3" '
        f'stroke="{style.colour}" stroke-width="3.4" stroke-dasharray="{dashes}"/></svg>'
    )


def table(header: list[str], rows: list[list[str]]) -> str:
    """A table of ready HTML cells."""
    head = "".join(f"<th>{cell}</th>" for cell in header)
    body = "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in rows)
    return f'<div class="wide"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'


def figure(picture: Picture, formats: tuple[str, ...]) -> str:
    files = ", ".join(f"{picture.name}.{ending}" for ending in formats)
    files = f' <span class="small">({files})</span>' if files else ""
    return (
        f'<h2 id="{picture.name}">{escape(picture.heading)}</h2><figure>'
        f'<img alt="{escape(picture.heading)}" src="{picture.data_uri}">'
        f'<figcaption>{escape(picture.caption)}{files}</figcaption></figure>'
    )


def notes(lines: list[str]) -> str:
    return '<ul class="notes">' + "".join(f"<li>{escape(line)}</li>" for line in lines) + "</ul>" if lines else ""


def warnings(lines: list[str]) -> str:
    return "".join(f'<div class="warning">{escape(line)}</div>' for line in lines)


def page(title: str, body: list[str]) -> str:
    """The whole document."""
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<style>{STYLE}</style></head><body>\n" + "\n".join(body) + "\n</body></html>\n"
    )
