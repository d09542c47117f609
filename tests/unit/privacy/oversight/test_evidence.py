"""The door of evidence (privacy.oversight.evidence): what may be ordered, and what the log says of it; the whole way is in tests/flow."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from privacy.audit.bundle import PERIOD, REQUEST, SUBJECT, Scope
from privacy.audit.payload import payload_bytes
from privacy.errors import Invalid
from privacy.oversight.evidence import Order

NOW = datetime(2026, 6, 15, 4, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("order", "code"),
    [
        ({"language": "fr"}, "evidence_language"),
        ({"contents": frozenset({"keys"})}, "evidence_contents"),
        ({"scope": Scope(redaction="nothing")}, "evidence_redaction"),
        ({"scope": Scope(PERIOD, since=NOW, until=NOW)}, "bad_period"),
        ({"scope": Scope(SUBJECT)}, "evidence_scope"),
        ({"scope": Scope(PERIOD, ("ab" * 16,))}, "evidence_scope"),
    ],
)
def test_an_order_that_breaks_a_rule_is_refused(order: dict[str, object], code: str) -> None:
    with pytest.raises(Invalid) as caught:
        Order(**{"scope": Scope(), **order})  # type: ignore[arg-type]
    assert caught.value.code == code


def test_what_the_log_says_of_an_order_passes_its_allow_list() -> None:
    for scope in (Scope(), Scope(PERIOD, since=NOW), Scope(SUBJECT, ("ab" * 16, "cd" * 16)), Scope(REQUEST, ("req_0123456789abcdef",))):
        said = payload_bytes("log.bundle", "cli", "ok", Order(scope, frozenset({"policies"})).facts())
        assert all(one.encode() in said for one in scope.of or ())
