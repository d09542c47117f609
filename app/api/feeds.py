"""The feed for BI tools: OData 4.0, CSV and Parquet of released tables. A bearer token opens it, or the same token as a Basic password.

Promise: GET alone; what is read was released before, so that refreshing costs nothing and nothing of it is about a person.
"""

from __future__ import annotations

from flask import Blueprint, Response, jsonify, request
from flask.typing import ResponseReturnValue

from app import released
from app.guard import needs, services

blueprint = Blueprint("feeds", __name__, url_prefix="/feeds")
JSON = "application/json;odata.metadata=minimal"


@blueprint.get("/odata")
@needs("report.read", basic=True)
def service() -> ResponseReturnValue:
    """The service document: every released table is an entity set."""
    return _told(jsonify(released.service(services())), JSON)


@blueprint.get("/odata/$metadata")
@needs("report.read", basic=True)
def metadata() -> ResponseReturnValue:
    """The tables' columns in CSDL."""
    return _told(Response(released.metadata(services())), "application/xml")


@blueprint.get("/odata/<kind>")
@needs("report.read", basic=True)
def entities(kind: str) -> ResponseReturnValue:
    """A table's rows, as $top, $skip, $filter, $select, $orderby and $count want them."""
    return _told(jsonify(released.entities(services(), kind, request.args)), JSON)


@blueprint.get("/files/<kind>.csv")
@needs("report.read", basic=True)
def as_csv(kind: str) -> ResponseReturnValue:
    """A table as CSV."""
    return _file(released.as_csv(services(), kind), "text/csv", f"{kind}.csv")


@blueprint.get("/files/<kind>.parquet")
@needs("report.read", basic=True)
def as_parquet(kind: str) -> ResponseReturnValue:
    """A table as Parquet."""
    return _file(released.as_parquet(services(), kind), released.PARQUET, f"{kind}.parquet")


def _told(answer: Response, kind: str) -> Response:
    answer.headers["Content-Type"] = kind
    answer.headers["OData-Version"] = "4.0"
    return answer


def _file(raw: bytes, mimetype: str, filename: str) -> Response:
    """Bytes to download."""
    return Response(raw, mimetype=mimetype, headers={"Content-Disposition": f'attachment; filename="{filename}"'})
