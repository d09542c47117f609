"""A report on paper: the same findings, figures, tables, margins and origin as its page, as PDF.

Promise: it is made of the document that the page shows and of nothing else; while it is made no address is opened, on the network or on
the disk; what the file says of itself is its title and its language, and nobody's account or address. Without the extra `pdf` there is no
button, and the address answers with a code that says what to install.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from ctypes.util import find_library
from dataclasses import dataclass, field
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from flask import Response, render_template
from markupsafe import Markup

from app.console import charts
from app.console.languages import _, ngettext, number
from app.figures import findings, follows, specs, tables, words
from app.figures.tables import Line
from privacy.errors import NotConfigured

STYLE = Path(__file__).parent / "static" / "paper.css"
MOST_ROWS = 500
"""Rows of one table on paper: laying out a page takes time; the file of the report has all of them."""
MOST_DRAWN = 150


@dataclass(frozen=True, slots=True)
class Table:
    """A table: its heads, its rows, and how many of its columns hold words."""

    caption: str
    heads: tuple[str, ...]
    rows: Sequence[Sequence[str]]
    words: int

    @property
    def shown(self) -> Sequence[Sequence[str]]:
        return self.rows[:MOST_ROWS]


@dataclass(frozen=True, slots=True)
class Part:
    """One table of a report with what it found, and its figures as (title, picture)."""

    heading: str = ""
    findings: Sequence[str] = ()
    figures: Sequence[tuple[str, Markup]] = ()
    tables: Sequence[Table] = ()


@dataclass(frozen=True, slots=True)
class Paper:
    """A whole report. `origin` says where it comes from: (what, which)."""

    title: str
    lead: str
    parts: Sequence[Part]
    meaning: Sequence[str] = ()
    origin: Sequence[tuple[str, str]] = field(default=())


@cache
def offered() -> bool:
    """Whether reports can be had on paper here: the package is installed, and the system's library that it lays text out with."""
    return find_spec("weasyprint") is not None and any(find_library(name) for name in ("pangoft2-1.0", "pangoft2-1.0-0"))


def answer(make: Callable[[], Paper], filename: str) -> Response:
    """The report as a file; raises NotConfigured, before anything is drawn, where the extra is not installed."""
    if not offered():
        raise _not_installed()
    made = Response(written(page(make())), mimetype="application/pdf")
    made.headers["Content-Disposition"] = f'attachment; filename="{filename}"'
    return made


def page(paper: Paper) -> str:
    """The report as the one page that is laid out."""
    return render_template("reports/paper.html", paper=paper)


def written(html: str) -> bytes:
    """A page as PDF."""
    return bytes(laid_out(html).write_pdf())


def laid_out(html: str) -> Any:
    """A page laid out on sheets of A4, with nothing fetched."""
    try:
        import weasyprint
    except (ImportError, OSError):  # OSError: the package is there, the libraries of the system that it draws with are not
        raise _not_installed() from None
    nothing = weasyprint.URLFetcher(allowed_protocols=())  # a report holds no address; whatever asks for one gets nothing
    style = weasyprint.CSS(string=STYLE.read_text("utf-8"), url_fetcher=nothing)
    return weasyprint.HTML(string=html, url_fetcher=nothing).render(stylesheets=[style])


def _not_installed() -> NotConfigured:
    return NotConfigured("reports on paper need the extra `pdf`: install piying[pdf]", code="pdf_not_installed")


# ── parts ──────────────────────────────────────────────────────────────────────────────────────────────────────────────────────


def part(document: Mapping[str, Any], key: str, heading: str = "") -> Part:
    """A table of released numbers with its finding and its figures; `key` is the name under which its figures are kept."""
    speech = charts.speech()
    told = findings.findings(document, speech)
    measures = specs.measures(document)
    drawn = measures if len(document["rows"]) <= MOST_DRAWN * max(1, len(measures)) else []
    figures = [
        (
            specs.title(document, name, speech),
            charts.drawn(
                f"{key}/{name}",
                lambda name=name: specs.spec(document, name, speech, specs.Look()),  # type: ignore[misc]
                title=specs.title(document, name, speech),
                description=" ".join(told),
            ),
        )
        for name in drawn
    ]
    parents = tables.rolled_up(document, speech)
    found = [numbers(_("Released numbers with their margins"), document, tables.lines(document, speech))]
    found += [numbers(_("Rolled up, where single rows are too few to tell"), document, parents)] if parents else []
    followed = follows.follows(document, speech)
    if followed:
        heads = (_("What"), _("Of"), _("Value"), _("between (95 of 100)"))
        rows = [(one.what, one.of, one.shown, one.between) for one in followed]
        found.append(Table(_("What follows from these numbers"), heads, rows, 2))
    return Part(heading, told, figures, found)


def numbers(caption: str, document: Mapping[str, Any], lines: Sequence[Line]) -> Table:
    """Released numbers as a reader may take them."""
    speech, by = charts.speech(), document["question"]["by"]
    heads = (*(words.grouping(speech, name) for name in by), _("Counted"), _("Released"), _("between (95 of 100)"))
    rows = [
        (*line.names, *[""] * (len(by) - len(line.names)), words.measure(speech, line.measure), *_ends(line)) for line in lines[:MOST_ROWS]
    ]
    cut = len(lines) - len(rows)
    more = (
        []
        if cut <= 0
        else [ngettext("%(number)s more row stands in the file.", "%(number)s more rows stand in the file.", cut, number=number(cut))]
    )
    return Table(" ".join([caption, *more]), heads, rows, len(by) + 1)


def _ends(line: Line) -> tuple[str, str]:
    speech = charts.speech()
    return tables.shown(speech, line), tables.between(speech, line)
