"""Specifications become pictures: SVG made here for every reader, and the one script that lets a browser draw the same specification.

Promise: the same figure is drawn once and kept in memory; a picture has a title, a description and the role of an image, no inline
style, no script and no link. The script is made from the installed library once and kept as a file of the home.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from html import escape
from pathlib import Path
from typing import Any

KEPT = 300
"""Pictures in memory: at about 30 KB each, ten megabytes."""

_SNIPPET = "window.piyingDraw = vegaEmbed;"
_MAKE = "import pathlib, sys, vl_convert; pathlib.Path(sys.argv[1]).write_text(vl_convert.javascript_bundle(sys.argv[2]), 'utf-8')"


class Drawings:
    """Pictures by key, the last used ones."""

    def __init__(self, kept: int = KEPT) -> None:
        self._kept = kept
        self._pictures: OrderedDict[Hashable, str] = OrderedDict()
        self._lock = threading.Lock()

    def svg(self, key: Hashable, spec: Callable[[], dict[str, Any]], *, title: str, description: str) -> str:
        """The picture of a key, drawn at most once while it is kept; the words are part of the key."""
        known = (key, title, description)
        with self._lock:
            if known in self._pictures:
                self._pictures.move_to_end(known)
                return self._pictures[known]
        drawn = draw(spec(), title=title, description=description)
        with self._lock:
            self._pictures[known] = drawn
            while len(self._pictures) > self._kept:
                self._pictures.popitem(last=False)
        return drawn


def draw(spec: dict[str, Any], *, title: str, description: str) -> str:
    """One specification as SVG with a name and a description; no request leaves the machine."""
    import vl_convert

    svg: str = vl_convert.vegalite_to_svg(spec, allowed_base_urls=[])
    start = svg.index("<svg")
    end = svg.index(">", start)
    head = svg[start:end] + ' role="img" aria-labelledby="figure-title figure-description"'
    words = f'<title id="figure-title">{escape(title)}</title><desc id="figure-description">{escape(description)}</desc>'
    return head + ">" + words + svg[end + 1 :]


def script_version() -> str:
    """What the script's name ends in: the versions of what is inside, so that a browser may keep it for ever."""
    from importlib.metadata import version

    return version("vl-convert-python")


def script(folder: Path) -> bytes:
    """The script that draws in the browser; made once (some seconds), then read from a folder."""
    path = folder / f"charts-{script_version()}.js"
    if not path.is_file():
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        part = path.with_suffix(f".{os.getpid()}-{time.monotonic_ns()}")
        # a process of its own: the maker lets no other thread of its process run meanwhile
        subprocess.run([sys.executable, "-c", _MAKE, str(part), _SNIPPET], check=True, timeout=300)  # noqa: S603 - our own words alone
        part.replace(path)
    return path.read_bytes()
