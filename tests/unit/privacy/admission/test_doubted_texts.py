"""A text in doubt is left out of its row and counted where the source's other dropped fields are counted."""

from __future__ import annotations

from ingestion import inbox
from tests.unit.privacy.admission.desk import ANNA, BO, Desk, row, source

DOUBTED = {"feedback.text:text_low_confidence": 2}


def test_rows_whose_text_is_doubted_are_stored_without_it_and_counted(desk: Desk) -> None:
    desk.allow(ANNA)
    texts = ["Ship to: 12 elm street", "收货地址：幸福里小区门口", "很好喝", None]
    receipt = desk.send(*(row(ANNA, record="feedback", text=text, rating=5) for text in texts))
    assert (receipt.stored, receipt.reasons, receipt.dropped_fields) == (4, {}, DOUBTED)
    assert [line["text"] for line in desk.lines("feedback")] == [None, None, "很好喝", None]
    with desk.stores.begin_platform() as tx:
        assert inbox.dropped_fields(tx, source_id=source().id) == DOUBTED


def test_a_doubted_text_of_somebody_who_allowed_nothing_is_refused_and_not_counted(desk: Desk) -> None:
    desk.allow(ANNA)
    receipt = desk.send(row(BO, record="feedback", text="密码 1234 5678"))
    assert (receipt.refused, receipt.dropped_fields) == (1, {})
