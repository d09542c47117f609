"""Nobody passes without a token that carries the permission; a body is read within its limit."""

from __future__ import annotations

from datetime import timedelta

import pytest
from flask import Flask, g
from flask.testing import FlaskClient

from app import access, errors, guard
from app.factory import create_app
from tests.house import House, bearer


@pytest.fixture
def client(house: House) -> FlaskClient:
    """A small application around the house's services: a guarded view, an open one, one for senders, one that reads a body."""
    app = Flask(__name__)
    app.extensions["piying"] = house.services
    errors.register(app)

    @app.get("/guarded")
    @guard.needs("budget.read")
    def guarded() -> str:
        return str(g.caller.account_id)

    @app.get("/open")
    @guard.public
    def open_() -> str:
        return "open"

    @app.post("/sent")
    @guard.by_write_key
    def sent() -> str:
        return str(len(guard.body(10)))

    return app.test_client()


def test_a_permitted_caller_passes_and_is_known_to_the_view(house: House, client: FlaskClient) -> None:
    answer = client.get("/guarded", headers=bearer(house.token("marketer")))
    assert answer.status_code == 200
    assert answer.get_data(as_text=True).startswith("usr_")


@pytest.mark.parametrize("header", [None, "", "Bearer", "Bearer ", "Basic abc", "pat_abc"])
def test_without_a_bearer_token_nobody_passes(client: FlaskClient, header: str | None) -> None:
    answer = client.get("/guarded", headers={} if header is None else {"Authorization": header})
    assert (answer.status_code, answer.get_json()["code"]) == (401, "token_missing")


def test_an_unknown_an_expired_and_a_disabled_owners_token_are_told_the_same(house: House, client: FlaskClient) -> None:
    token = house.token("marketer")
    unknown = client.get("/guarded", headers=bearer("pat_unknown"))
    house.clock.now += access.TOKEN_LIFETIME + timedelta(seconds=1)
    expired = client.get("/guarded", headers=bearer(token))
    assert unknown.status_code == expired.status_code == 401
    assert {**unknown.get_json(), "request_id": ""} == {**expired.get_json(), "request_id": ""}


def test_a_caller_without_the_permission_is_refused_and_told_which(house: House, client: FlaskClient) -> None:
    answer = client.get("/guarded", headers=bearer(house.token("integrator")))
    assert (answer.status_code, answer.get_json()["code"]) == (403, "permission_missing")
    assert "budget.read" in answer.get_json()["message"]


def test_a_token_of_fewer_scopes_opens_fewer_views(house: House, client: FlaskClient) -> None:
    with house.services.begin_console() as tx:
        account, _ = access.add_account(tx, "ada@example.com", "marketer", now=house.clock())
        token = access.new_token(tx, account, now=house.clock(), scopes=["report.read"])
    assert client.get("/guarded", headers=bearer(token)).status_code == 403


def test_the_declaration_stands_on_the_view(client: FlaskClient) -> None:
    declared = {name: getattr(view, "permission", None) for name, view in client.application.view_functions.items()}
    assert declared == {"static": None, "guarded": "budget.read", "open_": "public", "sent": "write_key"}
    assert client.get("/open").status_code == 200


def test_every_route_of_the_application_declares_who_may(house: House) -> None:
    app = create_app(house.services)
    silent = {
        name: view for name, view in app.view_functions.items() if not hasattr(view, "permission") and not hasattr(view, "view_class")
    }
    assert set(silent) <= {"api-docs.openapi_json"}, "a route without a declared permission"
    known = {permission for may in access.matrix().values() for permission in may} | {"public", "write_key"}
    assert {str(getattr(view, "permission", "public")) for view in app.view_functions.values()} <= known


@pytest.mark.parametrize(("size", "status"), [(0, 200), (10, 200), (11, 413), (5000, 413)])
def test_a_body_is_taken_up_to_its_limit(client: FlaskClient, size: int, status: int) -> None:
    answer = client.post("/sent", data=b"x" * size)
    assert answer.status_code == status
    if status == 413:
        assert answer.get_json()["code"] == "too_large"
