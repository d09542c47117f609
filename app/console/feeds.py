"""Released tables for other programs: a list of them, each as a file, and what Power BI and Tableau open.

Promise: what is downloaded was released before; nothing here costs anything or holds a key.
"""

from __future__ import annotations

from flask import Blueprint, Response
from flask.typing import ResponseReturnValue

from app import released
from app.console import charts, gate, shell
from app.figures import words
from app.guard import services

blueprint = Blueprint("feeds_pages", __name__)


@blueprint.get("/reports/feeds")
@gate.page("report.read")
def page() -> ResponseReturnValue:
    """The tables, the address of the feed and the files that open it."""
    tables = released.tables(services())
    address = services().base_url + released.ROOT
    return shell.render("reports/feeds.html", tables=tables, address=address, words=words, speech=charts.speech())


@blueprint.get("/reports/feeds/piying.pbids")
@gate.page("report.read")
def pbids() -> ResponseReturnValue:
    """For Power BI: the address of the OData feed."""
    return _file(released.pbids(services()), "application/json", "piying.pbids")


@blueprint.get("/reports/feeds/<kind>.tds")
@gate.page("report.read")
def tds(kind: str) -> ResponseReturnValue:
    """For Tableau: opens the table's CSV that lies beside it."""
    return _file(released.tds(services(), kind), "application/xml", f"{kind}.tds")


@blueprint.get("/reports/feeds/<kind>.csv")
@gate.page("report.read")
def as_csv(kind: str) -> ResponseReturnValue:
    """A table as CSV."""
    return _file(released.as_csv(services(), kind), "text/csv", f"{kind}.csv")


@blueprint.get("/reports/feeds/<kind>.parquet")
@gate.page("report.read")
def as_parquet(kind: str) -> ResponseReturnValue:
    """A table as Parquet."""
    return _file(released.as_parquet(services(), kind), released.PARQUET, f"{kind}.parquet")


def _file(raw: bytes, mimetype: str, filename: str) -> Response:
    """Bytes to download."""
    return Response(raw, mimetype=mimetype, headers={"Content-Disposition": f'attachment; filename="{filename}"'})
