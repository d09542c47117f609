"""What a receipt says: facts that do not change, in one form, and nobody."""

from __future__ import annotations

import json
from dataclasses import replace
from hashlib import sha256
from typing import Any

from privacy.consent import receipts
from privacy.consent.listing import Act
from privacy.consent.receipts import Controller
from privacy.consent.registry import Notice, Purpose
from privacy.orm import to_micros
from tests.conftest import NOW

SHOP = Controller("Tea House", "privacy@tea.example", "CN")
STATISTICS = Purpose("analytics.statistics", {"CN": "consent"}, analytic=True, name={"en": "Statistics", "zh": "统计分析"})
NOTICE = Notice("f" * 64, "v1", {"en": "We count.", "zh": "我们统计。"}, ["analytics.statistics"], NOW)
AT = to_micros(NOW)
ACT = Act(
    1, bytes(16), "analytics.statistics", "granted", "explicit", AT, AT + 1_500_000, None, None, "src_shop", "f" * 64,
    {"collection": "form", "default_state": "unchecked", "form": "general"}, "usr_somebody", 7, "form",
)  # fmt: skip


def said(act: Act = ACT, purpose: Purpose = STATISTICS, notice: Notice | None = NOTICE, controller: Controller = SHOP) -> dict[str, Any]:
    return receipts.document(
        act, number="rcp_x", subject="00", purpose=purpose, article="PIPL 13(1)(1)", notice=notice, controller=controller, origin="piying/a"
    )


def test_a_receipt_says_who_asked_for_what_what_was_shown_and_how_it_was_answered() -> None:
    assert said() == {
        "schema": "piying-receipt-1",
        "receipt": "rcp_x",
        "subject": "00",
        "controller": {"name": "Tea House", "contact": "privacy@tea.example"},
        "jurisdiction": "CN",
        "purpose": {
            "key": "analytics.statistics",
            "name": {"en": "Statistics", "zh": "统计分析"},
            "ground": "consent",
            "article": "PIPL 13(1)(1)",
            "separate": False,
        },
        "decision": {"state": "granted", "kind": "explicit"},
        "notice": {"version": "v1", "sha256": "f" * 64, "languages": ["en", "zh"]},
        "collected": {"method": "form", "source": "src_shop", "default_state": "unchecked", "form": "general"},
        "at": {"decided": "2026-06-15T04:30:00.000000Z", "received": "2026-06-15T04:30:01.500000Z"},
        "log": {"origin": "piying/a", "entry": 7},
    }


def test_neither_handle_nor_staff_stand_in_it() -> None:
    text = receipts.canonical(said(ACT._replace(handle=b"\xab" * 16))).decode()
    assert "ab" * 16 not in text
    assert "usr_" not in text


def test_what_is_not_known_is_absent() -> None:
    bare = said(ACT._replace(entry=None, evidence=None, source_id=None, notice=None), notice=None, controller=Controller("", "", "CN"))
    assert not {"notice", "log", "controller"} & bare.keys()
    assert bare["collected"] == {"method": "form"}


def test_separate_consent_names_its_one_subject_matter() -> None:
    share = Purpose("share.acme", {"CN": "separate_consent"}, separate=True, name={"en": "Acme", "zh": "甲"})
    assert said(ACT._replace(purpose="share.acme"), share)["purpose"]["recipient"] == "acme"
    abroad = replace(share, key="crossborder.us")
    assert said(ACT._replace(purpose="crossborder.us"), abroad)["purpose"]["country"] == "us"


def test_equal_statements_have_equal_bytes() -> None:
    assert receipts.canonical({"b": 1, "a": "统"}) == '{"a":"统","b":1}'.encode()
    assert receipts.canonical(said()) == receipts.canonical(dict(reversed(said().items())))


def test_a_commitment_tells_nothing_without_its_salt() -> None:
    reference, salt = b"r" * 16, b"s" * 32
    assert receipts.commitment(reference, salt) == sha256(b"piying-receipt-subject-v1\0" + salt + reference).hexdigest()
    assert receipts.commitment(reference, b"t" * 32) != receipts.commitment(reference, salt)


def test_a_file_holds_the_words_of_the_notice_and_an_opening_only_where_it_is_given() -> None:
    closed, opened = json.loads(receipts.written("a.b.c", NOTICE)), json.loads(receipts.written("a.b.c", None, (b"r" * 16, b"s" * 32)))
    assert closed.keys() == {"format", "jws", "notice"}
    assert closed["notice"]["texts"] == NOTICE.texts
    assert opened["opening"] == {"reference": "72" * 16, "salt": "73" * 32}
