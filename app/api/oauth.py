"""Where Segment's server clients exchange a signed assertion for a short-lived write key (RFC 6749 §4.4, RFC 7523).

Promise: the form is read once and bounded; what is wrong with an assertion is said by rule, never by value. The answer is not cached.
"""

from __future__ import annotations

from urllib.parse import parse_qs

from flask import Blueprint, Response, jsonify

from app import intake
from app.guard import body, public, services
from ingestion.oauth import KIND
from privacy.errors import Invalid, Refused

blueprint = Blueprint("oauth", __name__)
LARGEST = 16_384


@blueprint.post("/token", strict_slashes=False)
@public
def token() -> Response:
    """A bearer for an hour, for whoever signs with a registered key."""
    form = _form(body(LARGEST))
    if form.get("grant_type") != "client_credentials" or form.get("client_assertion_type") != KIND:
        raise Invalid("the grant is client_credentials with a JWT bearer assertion", code="assertion_invalid", field="grant_type")
    if not (assertion := form.get("client_assertion")):
        raise Refused("an assertion is needed", code="assertion_invalid", field="client_assertion")
    base = services().base_url.rstrip("/")
    made = intake.exchange(services(), assertion, {base, f"{base}/token"})
    return jsonify(access_token=made.key, token_type="Bearer", expires_in=made.seconds, scope="tracking_api:write")  # noqa: S106


def _form(raw: bytes) -> dict[str, str]:
    try:
        told = parse_qs(raw.decode("ascii"), strict_parsing=True, max_num_fields=20)
    except ValueError:
        raise Invalid("the body is a form", code="assertion_invalid") from None
    return {name: values[0] for name, values in told.items() if len(values) == 1}
