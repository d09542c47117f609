"""Figures on pages: the reader's language and theme put to `app.figures`, pictures out of memory, the script that draws in the browser.

Promise: a page with a figure reads without a script: a picture, its sentence and its table. Learns released numbers alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, cast

from flask import Blueprint, Response, current_app, g, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext, ngettext
from markupsafe import Markup

from app.console import languages
from app.figures import drawing, specs
from app.figures.speech import Say, Speech
from app.guard import public, services

KEPT = "public, max-age=31536000, immutable"
DRAWINGS = "piying_drawings"

blueprint = Blueprint("charts_pages", __name__)


@blueprint.get("/static/vega.js")
@public
def vega() -> ResponseReturnValue:
    """The script that draws the same specifications in the browser, out of the installed library."""
    answer = Response(drawing.script(services().settings.home / "cache"), mimetype="text/javascript")
    answer.headers["Cache-Control"] = KEPT if request.args.get("v") == drawing.script_version() else "no-store"
    return answer


def vega_address() -> str:
    return f"/static/vega.js?v={drawing.script_version()}"


def speech() -> Speech:
    """The reader's language; a sentence without places is looked up once a page, for tables say the same words in every row."""
    language = languages.current()
    made: dict[str, Speech] = g.setdefault("speech", {})
    if language not in made:
        made[language] = Speech(language, _say(), ngettext, services().settings.currency)
    return made[language]


def _say() -> Say:
    kept: dict[str, str] = {}

    def say(sentence: str, **places: object) -> str:
        if places:
            return str(gettext(sentence, **places))
        if sentence not in kept:
            kept[sentence] = str(gettext(sentence))
        return kept[sentence]

    return say


def look() -> specs.Look:
    """How the address wants a figure: theme, narrow, with its own ground."""
    arguments = request.args
    return specs.Look(
        theme="dark" if arguments.get("theme") == "dark" else "light",
        narrow=bool(arguments.get("narrow")),
        ground=bool(arguments.get("ground")),
    )


def picture(key: str, spec: Callable[[], dict[str, Any]], *, title: str, description: str, filename: str = "") -> Response:
    """A figure as SVG; a key, a language and a look are drawn once."""
    made = look()
    known = (key, languages.current(), made.theme, made.narrow, made.ground)
    answer = Response(_drawings().svg(known, spec, title=title, description=description), mimetype="image/svg+xml")
    if filename and made.ground:
        answer.headers["Content-Disposition"] = f'attachment; filename="{filename}"'
    return answer


def drawn(key: str, spec: Callable[[], dict[str, Any]], *, title: str, description: str) -> Markup:
    """A figure as SVG to stand inside a page on paper: by day, wide."""
    known = (key, languages.current(), "paper")
    return Markup(_drawings().svg(known, spec, title=title, description=description))  # noqa: S704 - drawn here, its words escaped


def _drawings() -> drawing.Drawings:
    """The pictures of this process."""
    extensions = current_app.extensions
    if DRAWINGS not in extensions:
        extensions[DRAWINGS] = drawing.Drawings()
    return cast(drawing.Drawings, extensions[DRAWINGS])


def figures(document: Mapping[str, Any], told: list[str], address: str, query: str = "") -> list[dict[str, str]]:
    """What the page needs of each figure: its address, its heading and the sentence that says the same. `%s` stands for the measure."""
    said = speech()
    names = specs.measures(document)
    one_each = len(told) == len(names)
    return [
        {
            "measure": name,
            "address": address.replace("%s", name),
            "query": query.replace("%s", name),
            "title": specs.title(document, name, said),
            "finding": told[place] if one_each else " ".join(told),
        }
        for place, name in enumerate(names)
    ]
