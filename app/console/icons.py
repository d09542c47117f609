"""Bootstrap's icons, drawn into the page: no font to wait for, no picture to fetch, readable in print.

Promise: an icon is decoration and hidden from readers of text; the word beside it says what it means.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import flask_bootstrap
from markupsafe import Markup

_SYMBOL = re.compile(r'<symbol[^>]*?viewBox="([^"]+)" id="([^"]+)">(.*?)</symbol>', re.DOTALL)


@cache
def _drawings() -> dict[str, tuple[str, str]]:
    """Name → (view box, paths), from the sheet that Bootstrap-Flask carries."""
    sheet = Path(flask_bootstrap.__file__).parent / "static" / "bootstrap5" / "icons" / "bootstrap-icons.svg"
    return {name: (box, paths) for box, name, paths in _SYMBOL.findall(sheet.read_text("utf-8"))}


@cache
def icon(name: str) -> Markup:
    """An icon by its name; an unknown name is a fault of ours and raises KeyError."""
    box, paths = _drawings()[name]
    drawing = f'<svg class="icon" viewBox="{box}" width="16" height="16" fill="currentColor" aria-hidden="true">{paths}</svg>'
    return Markup(drawing)  # noqa: S704 - our own names and the package's drawings, nothing that anybody sent
