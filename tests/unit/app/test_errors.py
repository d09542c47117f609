"""One error shape for everything that can go wrong, and of what nobody foresaw not a word."""

from __future__ import annotations

import json
from typing import Any

import pytest
from flask import Flask
from marshmallow import fields
from werkzeug.exceptions import HTTPException, abort
from werkzeug.test import TestResponse

from app import doctor, errors
from app.errors import status_of
from app.shapes import Strict
from privacy import errors as family
from privacy.errors import PiyingError

SECRET = "13800138000"
STATUSES = {
    "BudgetExhausted": 403,
    "Conflict": 409,
    "Invalid": 422,
    "Locked": 503,
    "NotConfigured": 409,
    "NotFound": 404,
    "Raced": 503,
    "Refused": 403,
    "Unavailable": 503,
    "WrongSchema": 503,
}


def members() -> list[type[PiyingError]]:
    return sorted(
        (one for one in vars(family).values() if isinstance(one, type) and issubclass(one, PiyingError) and one is not PiyingError),
        key=lambda one: one.__name__,
    )


def answered(error: Exception) -> TestResponse:
    """What a client gets when a view raises."""
    app = Flask(__name__)
    app.config["PROPAGATE_EXCEPTIONS"] = False
    errors.register(app)

    @app.get("/")
    def view() -> str:
        raise error

    return app.test_client().get("/")


def shape_of(answer: TestResponse) -> dict[str, Any]:
    """The body, which is a problem document and carries `code` and `message`."""
    assert answer.mimetype == "application/problem+json"
    body: dict[str, Any] = json.loads(answer.get_data())
    assert {"type", "title", "status", "detail", "code", "message", "request_id"} <= set(body)
    assert body["status"] == answer.status_code
    assert body["type"] == f"urn:piying:problem:{body['code']}"
    assert body["title"] == body["detail"] == body["message"]
    return body


@pytest.mark.parametrize("kind", members(), ids=lambda kind: kind.__name__)
def test_every_member_of_the_family_has_a_status_and_the_one_shape(kind: type[PiyingError]) -> None:
    answer = answered(kind("the rule that was broken", field="consents[0].purpose"))
    body = shape_of(answer)
    assert answer.status_code == STATUSES[kind.__name__]
    assert (body["code"], body["message"], body["field"]) == (kind.code, "the rule that was broken", "consents[0].purpose")


@pytest.mark.parametrize("code", sorted(errors.STATUS_BY_CODE))
def test_some_codes_have_a_status_of_their_own(code: str) -> None:
    error = family.Refused("no", code=code)
    answer = answered(error)
    assert answer.status_code == errors.STATUS_BY_CODE[code]
    assert shape_of(answer)["code"] == code


def test_nobody_raises_the_root_and_a_member_without_a_row_would_be_a_plain_500() -> None:
    assert status_of(PiyingError("x")) == 500
    assert {kind.__name__ for kind, _ in errors.STATUS_BY_TYPE} == {kind.__name__ for kind in members()}
    assert not [kind for kind in PiyingError.__subclasses__() if kind.__module__.startswith("app") and kind is not doctor._Wrong]


@pytest.mark.parametrize(
    ("error", "seconds"),
    [
        (family.Unavailable("busy", retry_after=30), "30"),
        (family.Unavailable("busy"), str(errors.RETRY_AFTER_SECONDS)),
        (family.Raced("again"), str(errors.RETRY_AFTER_SECONDS)),
        (family.Refused("too many", code="too_many_lookups", retry_after=3600), "3600"),
    ],
)
def test_who_may_try_again_is_told_when(error: PiyingError, seconds: str) -> None:
    assert answered(error).headers["Retry-After"] == seconds


def test_who_may_not_is_told_nothing_of_time() -> None:
    assert "Retry-After" not in answered(family.Refused("no")).headers


def test_who_has_no_key_is_told_which_kind() -> None:
    assert answered(family.Refused("no", code="token_unknown")).headers["WWW-Authenticate"] == "Bearer"
    assert answered(family.Refused("no", code="key_unknown")).headers["WWW-Authenticate"].startswith("Basic")


def test_what_nobody_foresaw_is_a_blank_500(capfd: pytest.CaptureFixture[str]) -> None:
    answer = answered(ValueError(f"could not parse {SECRET}"))
    assert answer.status_code == 500
    body = shape_of(answer)
    assert body["code"] == "internal"
    assert SECRET not in answer.get_data(as_text=True)
    assert "ValueError" not in answer.get_data(as_text=True)
    said = "".join(capfd.readouterr())
    assert SECRET not in said
    assert "Traceback" not in said


@pytest.mark.parametrize(("status", "code"), [(400, "bad_request"), (404, "not_found"), (405, "method_not_allowed"), (413, "too_large")])
def test_what_the_web_server_refuses_has_the_same_shape(status: int, code: str) -> None:
    with pytest.raises(HTTPException) as refused:
        abort(status, description=f"quoting {SECRET}")
    answer = answered(refused.value)
    assert answer.status_code == status
    assert shape_of(answer)["code"] == code
    assert SECRET not in answer.get_data(as_text=True)


def test_a_method_that_is_not_there_keeps_its_header() -> None:
    app = Flask(__name__)
    errors.register(app)
    app.add_url_rule("/", view_func=lambda: "", methods=["GET"])
    answer = app.test_client().post("/")
    assert "GET" in answer.headers["Allow"]
    assert shape_of(answer)["code"] == "method_not_allowed"


def test_a_body_that_breaks_a_shape_is_told_by_its_fields_never_by_its_words() -> None:
    class Inner(Strict):
        phone = fields.Integer(required=True)

    class Outer(Strict):
        items = fields.List(fields.Nested(Inner))

    messages = Outer().validate({"items": [{"phone": SECRET + "x"}, {"phone": 1, SECRET: 1}], "surprise": 1})
    error = HTTPException()
    error.code = 422
    error.data = {"messages": {"json": messages}}  # type: ignore[attr-defined]
    answer = answered(error)
    body = shape_of(answer)
    assert body["code"] == "invalid"
    assert body["message"] == "these fields break a rule: items[0].phone, items[1].?, surprise"
    assert SECRET not in answer.get_data(as_text=True)
