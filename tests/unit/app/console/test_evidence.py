"""The pages of evidence: who may open them, what a form that breaks a rule hears; the whole way is in tests/flow/test_evidence."""

from __future__ import annotations

import pytest

from tests.house import House


def test_an_officer_has_the_form_the_tools_and_the_keys(house: House) -> None:
    officer = house.browser("officer")
    text = officer.get("/evidence").get_data(as_text=True)
    assert "No pack yet" in text
    assert "/evidence/tools/witness.py" in text
    assert house.services.oversight.verifier_keys()[0] in text
    assert officer.get("/evidence/new?case=cas_000000000000000000000000").status_code == 200


@pytest.mark.parametrize("role", ["marketer", "integrator", "administrator"])
def test_nobody_else_opens_them(house: House, role: str) -> None:
    browser = house.browser(role)
    for path in ("/evidence", "/evidence/new", "/evidence/evp_x", "/evidence/evp_x/pack.zip"):
        assert browser.get(path).status_code == 403
    assert "/evidence" not in browser.get("/").get_data(as_text=True)


def test_a_pack_that_is_not_there_is_told(house: House) -> None:
    assert house.browser("officer").get("/evidence/evp_000000000000").status_code == 404


def test_a_form_that_breaks_a_rule_keeps_what_was_typed(house: House) -> None:
    form = {"scope": "period", "since": "2026-06-20", "until": "2026-06-01", "redaction": "commitments", "language": "en"}
    answer = house.browser("officer").post("/evidence/new", form)
    assert answer.status_code == 422
    assert 'value="2026-06-20"' in answer.get_data(as_text=True)
