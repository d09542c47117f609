"""What the routes of consent answer is what their shapes (`app.answers.evidence`) declare: nothing more leaves, nothing is missing."""

from __future__ import annotations

from app.answers.evidence import ConsentOut, NoticeOut, NoticeWordsOut, ReceiptCheckOut, ReceiptOut
from tests.house import House, bearer


def test_a_line_a_receipt_and_a_check_have_exactly_the_declared_fields(house: House) -> None:
    _, key = house.source("shop")
    house.grant(key, [("customer_no", "u-1")], purposes=["analytics.statistics"])
    officer = bearer(house.token("officer"))
    (line,) = house.client.get("/api/consents", headers=officer).get_json()["items"]
    assert line.keys() == ConsentOut().fields.keys()
    receipt = house.client.get(f"/api/consents/{line['receipt']}", headers=officer).get_json()
    assert receipt.keys() == ReceiptOut().fields.keys()
    checks = house.client.post(f"/api/consents/{line['receipt']}/verifications", headers=officer).get_json()["items"]
    assert {frozenset(one) for one in checks} == {frozenset(ReceiptCheckOut().fields)}
    assert not ConsentOut().validate(line) | ReceiptOut().validate(receipt)


def test_a_notice_is_its_words_with_the_hash_that_names_them() -> None:
    assert NoticeOut().fields.keys() - NoticeWordsOut().fields.keys() == {"notice", "published_at"}
