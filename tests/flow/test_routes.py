"""Every route: who may call it, and what every answer carries."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import sqlalchemy as sa

from app import access, acts
from app.factory import HEADERS
from tests.flow.allowed import ALLOWED, BODIES
from tests.flow.matrix import NOTHING, PAGES, PERMISSIONS, PHONE
from tests.house import House, bearer, sqlite_house, track


class Route(NamedTuple):
    method: str
    rule: str
    endpoint: str

    @property
    def of_people(self) -> bool:
        """Whether a browser with a session opens it, and no token."""
        return self.endpoint.partition(".")[0].endswith("_pages") or self.endpoint.endswith(".static")

    @property
    def path(self) -> str:
        return re.sub(r"<any\((\w+)[^>]*>", r"\1", self.rule) if "any(" in self.rule else re.sub(r"<[^>]*>", "x_0000", self.rule)


@pytest.fixture(scope="module")
def open_door(template_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with sqlite_house(template_home, tmp_path_factory.mktemp("routes") / "home") as house:
        house.source()
        yield house


def routes(house: House) -> list[Route]:
    """Every route and method for programs that the application has, but for what the description of the API adds."""
    return [route for route in everything(house) if not route.of_people]


def pages(house: House) -> list[Route]:
    """Every route and method for people."""
    return [route for route in everything(house) if route.of_people]


def everything(house: House) -> list[Route]:
    return [
        Route(method, rule.rule, rule.endpoint)
        for rule in house.app.url_map.iter_rules()
        for method in sorted((rule.methods or set()) - {"OPTIONS", "HEAD"})
        if not rule.endpoint.startswith("api-docs")
    ]


# ── who may call what ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def declared(house: House, route: Route) -> str | None:
    """The permission that the view of a route declares; views of the API hang on a class, one method each."""
    view = house.app.view_functions[route.endpoint]
    holder = getattr(view, "view_class", None)
    return getattr(getattr(holder, route.method.lower()) if holder else view, "permission", None)


def test_every_route_declares_the_permission_that_was_agreed(open_door: House) -> None:
    assert {(route.method, route.rule): declared(open_door, route) for route in routes(open_door)} == PERMISSIONS
    assert {(route.method, route.rule): declared(open_door, route) for route in pages(open_door)} == PAGES


def test_the_file_of_roles_lists_what_was_agreed_and_keeps_incompatible_powers_apart() -> None:
    assert {role: set(permissions) for role, permissions in access.matrix().items()} == ALLOWED
    assert not any({"exact.read", "report.ask"} <= permissions for permissions in ALLOWED.values())
    assert not ALLOWED["marketer"] & {"exact.read", "metrics.read"}, "whoever buys protected numbers sees no exact one"
    administrator = ALLOWED["administrator"]
    assert not administrator & {"exact.read", "person.find", "person.reveal", "consent.edit", "report.ask", "log.read", "source.edit"}


CONSENTS = {"/v1/consents": "consent.edit", "/v1/consents/decisions": "consent.read"}
"""What takes a write key or the token of staff, and what the staff's token needs."""


@pytest.mark.parametrize("role", [*ALLOWED, "nobody"])
def test_a_role_opens_exactly_its_routes(open_door: House, role: str) -> None:
    """Walked over every route: 401 without a token, 403 without the permission, anything else with it."""
    house = open_door
    headers = {} if role == "nobody" else bearer(house.token(role))
    for route in routes(house):
        permission = PERMISSIONS[(route.method, route.rule)]
        answer = house.client.open(route.path, method=route.method, headers=headers, json=BODIES.get(route.rule))
        code = (answer.get_json(silent=True) or {}).get("code")
        if route.rule in CONSENTS and role != "nobody":
            permission = CONSENTS[route.rule]
        if permission in NOTHING:
            assert code not in ("token_missing", "permission_missing")
        elif role == "nobody":
            assert (answer.status_code, code) == (401, "token_missing"), route
        elif permission in ALLOWED[role]:
            assert answer.status_code not in (401, 403), (route, answer.get_data(as_text=True))
        else:
            assert (answer.status_code, code) == (403, "permission_missing"), route
        assert answer.status_code < 500, route


@pytest.mark.parametrize("role", [*ALLOWED, "nobody"])
def test_a_role_opens_exactly_its_pages(open_door: House, role: str) -> None:
    """Walked over every page and every act of one (attack 47): to the sign-in page, 403, or anything else; a token opens none of them."""
    token = bearer(open_door.token(role)) if role != "nobody" else {}
    for route in pages(open_door):
        permission = PAGES[(route.method, route.rule)]
        browser = open_door.browser("" if role == "nobody" else role)
        answer = browser.get(route.path) if route.method == "GET" else browser.post(route.path)
        by_token = open_door.client.open(route.path, method=route.method, headers=token)
        if permission == "public":
            assert not (answer.headers.get("Location") or "").startswith("/sign-in?"), route
        elif role == "nobody":
            assert (answer.status_code, answer.headers["Location"].partition("?")[0]) == (302, "/sign-in"), route
        elif permission in ALLOWED[role]:
            assert answer.status_code not in (401, 403), (route, answer.get_data(as_text=True))
        else:
            assert answer.status_code == 403, route
        if permission != "public":
            assert (by_token.status_code, by_token.headers["Location"].partition("?")[0]) == (302, "/sign-in"), route
        assert answer.status_code < 500, route


@pytest.mark.parametrize("state", ["unknown", "of another kind", "expired", "of a disabled account"])
def test_a_token_that_does_not_count_opens_nothing(template_home: Path, tmp_path: Path, state: str) -> None:
    with sqlite_house(template_home, tmp_path / "home") as house:
        _, key = house.source()
        token = {"unknown": "pat_" + "x" * 43, "of another kind": key}.get(state) or house.token("officer")
        if state == "expired":
            house.clock.forward(days=91)
        if state == "of a disabled account":
            with house.services.begin_console() as tx:
                tx.execute(sa.update(access.Account).values(disabled_at=house.clock()))
        for route in routes(house):
            if PERMISSIONS[(route.method, route.rule)] not in NOTHING:
                answer = house.client.open(route.path, method=route.method, headers=bearer(token), json=BODIES.get(route.rule))
                assert (answer.status_code, answer.get_json()["code"]) == (401, "token_unknown"), route


def test_a_token_carries_no_more_than_its_scopes_and_no_more_than_its_owner(open_door: House) -> None:
    house = open_door
    owner = bearer(house.token("integrator"))
    made = house.client.post("/api/tokens", json={"scopes": ["source.read"]}, headers=owner)
    assert made.status_code == 201
    narrow = bearer(made.get_json()["token"])
    assert house.client.get("/api/sources", headers=narrow).status_code == 200
    assert house.client.post("/api/sources", json={"name": "n", "kind": "segment"}, headers=narrow).status_code == 403
    assert house.client.get("/api/dictionary", headers=narrow).status_code == 403
    refused = house.client.post("/api/tokens", json={"scopes": ["report.ask"]}, headers=owner)
    assert (refused.status_code, refused.get_json()["code"]) == (403, "scope_not_allowed")


def test_a_narrow_token_does_not_make_a_wider_one(open_door: House) -> None:
    house = open_door
    owner = bearer(house.token("integrator"))
    narrow = bearer(house.client.post("/api/tokens", json={"scopes": ["account.own"]}, headers=owner).get_json()["token"])
    wider = house.client.post("/api/tokens", json={"scopes": ["account.own", "source.edit"]}, headers=narrow)
    assert (wider.status_code, wider.get_json()["code"]) == (403, "scope_not_allowed")
    for body in ({}, {"scopes": None}):
        same = bearer(house.client.post("/api/tokens", json=body, headers=narrow).get_json()["token"])
        assert house.client.get("/api/sources", headers=same).status_code == 403


def test_a_one_time_code_works_once(open_door: House) -> None:
    house = open_door
    link = acts.add_user(house.services, "once@example.com", "marketer", actor="test")["link"]
    code = link.partition("#")[2]
    first = house.client.post("/api/tokens/redemptions", json={"code": code})
    assert first.status_code == 201
    assert house.client.get("/api/budgets", headers=bearer(first.get_json()["token"])).status_code == 200
    again = house.client.post("/api/tokens/redemptions", json={"code": code})
    assert (again.status_code, again.get_json()["code"]) == (401, "bad_setup_code")


# ── what every answer carries ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_every_answer_carries_the_security_headers(open_door: House) -> None:
    house = open_door
    headers = bearer(house.token("officer"))
    browser = house.browser("officer")
    answers = [browser.get(route.path) for route in pages(house) if route.method == "GET"]
    assert not [answer.request.path for answer in answers if any(answer.headers.get(name) != HEADERS[name] for name in HEADERS)]
    answers = [house.client.open(route.path, method=route.method, headers=headers, json=BODIES.get(route.rule)) for route in routes(house)]
    answers += [house.client.get(path) for path in ("/no/such", "/v1/batch", "/api/openapi.json", "/v1//batch")]
    answers += [house.client.options("/v1/batch"), house.client.head("/healthz"), house.client.post("/v1/batch", data=b"{")]
    for answer in answers:
        for name, value in HEADERS.items():
            assert answer.headers[name] == value, (answer.request.path, name)
        assert re.fullmatch(r"req_[0-9a-f]{24}", answer.headers["X-Request-Id"])
        assert "Set-Cookie" not in answer.headers
        assert not 300 <= answer.status_code < 400, answer.request.path


def test_addresses_never_carry_an_identifier(open_door: House) -> None:
    """Path variables are ids of ours and write keys, which some clients can put nowhere else; our API asks nothing by query but a cursor."""
    variables = {name for rule in open_door.app.url_map.iter_rules() for name in rule.arguments}
    ours = {
        "key",
        "kind",
        "request_id",
        "source_id",
        "job_id",
        "release_id",
        "receipt_id",
        "import_id",
        "user_id",
        "token_id",
        "filename",
        "measure",
        "month_id",
        "case_id",
        "merge_id",
        "notice_id",
        "proposal_id",
        "number",
        "letter",
        "pack_id",
        "incident_id",
        "assessment_id",
        "agreement_id",
        "export_id",
        "delivery_id",
        "entry_id",
        "tool_name",
        "recipient_id",
        "year",
        "segment_id",
        "audience_id",
        "version",
    }
    assert variables == ours


def test_the_description_of_the_api_is_valid_and_lists_every_management_route(open_door: House) -> None:
    answer = open_door.client.get("/api/openapi.json")
    document = answer.get_json()
    assert document["openapi"].startswith("3.1")
    assert {"title", "version"} <= document["info"].keys()
    wanted = {
        (route.method.lower(), re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", route.rule))
        for route in routes(open_door)
        if route.rule.startswith("/api")
    }
    listed = {(method, path) for path, entry in document["paths"].items() for method in entry if method != "parameters"}
    assert listed == wanted
    references = set(re.findall(r'"\$ref": ?"#/([^"]+)"', json.dumps(document)))
    for reference in references:
        place: Any = document
        for step in reference.split("/"):
            place = place[step]
    for path, entry in document["paths"].items():
        names = {parameter["name"] for parameter in entry.get("parameters", ()) if parameter["in"] == "path"}
        assert names == set(re.findall(r"{(\w+)}", path))
        for method, operation in entry.items():
            if method != "parameters":
                assert operation["responses"], (method, path)


def test_a_500_tells_no_local_of_the_request(house: House, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture) -> None:
    """An exception that quotes a person's number, in the middle of a view: a blank answer, a line with the type's name (attack 58)."""
    _, key = house.source("shop")

    def fail() -> datetime:
        number = PHONE
        raise RuntimeError(f"cannot read {number}")

    house.services.__dict__["intake"] = replace(house.services.intake, clock=fail)
    answer = house.send({"batch": [track(1) | {"event": PHONE}]}, key)
    assert (answer.status_code, answer.get_json()["code"]) == (500, "internal")
    output = "".join(capfd.readouterr())
    assert "unhandled_error" in output
    assert "RuntimeError" in output
    everything = answer.get_data(as_text=True) + str(answer.headers) + output + caplog.text
    assert PHONE not in everything
    assert "Traceback" not in everything
    assert house.app.debug is False
