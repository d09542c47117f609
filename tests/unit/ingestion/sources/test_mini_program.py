"""A mini-program's messages: nothing without the proof of agreement, WeChat's names, what is held."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest

from ingestion import canonical, strictjson
from ingestion.messages import micros
from ingestion.source import Agreed, Reading, payload
from ingestion.sources import mini_program, segment
from privacy.dictionary.catalogue import load
from privacy.errors import Invalid
from privacy.records import RawBatch, SourceFacts

CATALOGUE = load()
NOW = datetime(2026, 6, 15, 4, 30, tzinfo=UTC)
AT = NOW - timedelta(minutes=2)
APPID = "wx0123456789abcdef"
SOURCE = SourceFacts(
    "src_a",
    "mini",
    "mini_program",
    False,
    frozenset({"analytics.statistics"}),
    namespace=APPID,
    consent_categories={"stats": "analytics.statistics"},
)
AGREED = {"version": "2026-01", "agreedAt": (AT - timedelta(days=1)).isoformat()}
TRACK: dict[str, Any] = {
    "type": "track",
    "event": "Product Viewed",
    "messageId": "m1",
    "timestamp": AT.isoformat(),
    "openid": "o" + "A" * 27,
    "context": {"privacyAgreement": AGREED},
}


def read_raw(body: Any, *, only: str | None = None, replayed: bool = False) -> RawBatch:
    parsed = strictjson.loads(json.dumps(body).encode())
    reader = partial(segment.read, source=SOURCE, catalogue=CATALOGUE, received_at=NOW, request_id="req_1", only=only, replayed=replayed)
    return mini_program.read(parsed, SOURCE, received_at=NOW, only=only, reader=reader)


def read(*messages: Any, **envelope: Any) -> list[Reading]:
    return list(read_raw({"batch": list(messages)} | envelope).items or ())


def one(**change: Any) -> Reading:
    (reading,) = read({name: value for name, value in (TRACK | change).items() if value is not None})
    return reading


def refused(reading: Reading) -> bool:
    return reading.rule is None and [row.refuse for row in reading.rows] == ["no_privacy_agreement"]


def test_a_message_with_proof_goes_on_under_wechats_names() -> None:
    reading = one(unionid="u" * 28)
    (row,) = reading.rows
    assert (row.fields["event"], row.refuse) == ("product_viewed", None)
    assert row.identifiers == {"openid": TRACK["openid"], "unionid": "u" * 28}
    assert reading.message_id == "m1"
    assert reading.dropped == {}
    assert one(anonymousId="a", userId="c").rows[0].identifiers == {"openid": TRACK["openid"], "cookie": "a", "customer_no": "c"}


@pytest.mark.parametrize(
    "evidence",
    [
        None,
        True,
        "2026-01",
        {},
        {"version": "1"},
        {"agreedAt": AGREED["agreedAt"]},
        AGREED | {"version": ""},
        AGREED | {"version": 3},
        AGREED | {"version": "x" * 201},
        AGREED | {"agreedAt": None},
        AGREED | {"agreedAt": "yesterday"},
        AGREED | {"agreedAt": True},
        AGREED | {"agreedAt": {"a": 1}},
        AGREED | {"agreedAt": (AT + timedelta(seconds=1)).isoformat()},
        AGREED | {"agreedAt": int((NOW + timedelta(days=1)).timestamp() * 1000)},
    ],
)
def test_without_proof_from_before_the_event_it_is_refused_whatever_else_is_in_it(evidence: Any) -> None:
    context = {"context": {"privacyAgreement": evidence}}
    assert refused(one(**context))
    assert refused(one(event=None, **context)), "law before form: what has no proof is never held"
    assert refused(one(openid=None, **context))


@pytest.mark.parametrize(
    "place",
    [
        {"privacy": AGREED, "context": None},
        {"privacyAgreement": AGREED, "context": None},
        {"context": {"privacy": {"contractName": "《指引》", "buttonId": "agree", "agreedAt": AGREED["agreedAt"]}}},
        {"context": {"privacy": {"version": "1", "agreedAt": int((AT - timedelta(days=1)).timestamp() * 1000)}}},
    ],
)
def test_the_proof_may_stand_where_mini_programs_put_it(place: dict[str, Any]) -> None:
    reading = one(**place)
    assert reading.rows[0].refuse is None
    assert reading.dropped == {}


def test_the_proof_of_a_batch_holds_for_its_messages_and_a_messages_own_goes_before_it() -> None:
    bare = {key: value for key, value in TRACK.items() if key != "context"}
    assert not refused(read(bare, context={"privacyAgreement": AGREED})[0])
    own = bare | {"context": {"privacyAgreement": {"version": "1"}}}
    assert refused(read(own, context={"privacyAgreement": AGREED})[0])


def test_what_is_no_message_has_no_proof() -> None:
    assert all(refused(reading) for reading in read("x", None, [TRACK], 5))


def test_of_a_message_without_proof_only_its_noes_go_on() -> None:
    said = {"consent": {"categoryPreferences": {"stats": False}}}
    (row,) = one(context=said).rows
    assert [(claim.purpose, claim.granted) for claim in row.claims] == [("analytics.statistics", False)]
    assert (row.fields, row.identifiers, row.refuse) == ({"event": "other"}, {"openid": TRACK["openid"]}, "no_privacy_agreement")
    (row,) = one(context={"consent": {"categoryPreferences": {"stats": True}}}).rows
    assert (row.claims, row.identifiers) == ((), {})


def test_agreeing_to_a_notice_is_no_consent() -> None:
    assert one().rows[0].claims == ()


@pytest.mark.parametrize(
    ("change", "path", "rule"),
    [
        ({"openid": {"a": 1}}, "openid", "wrong_type"),
        ({"unionid": "u" * 600}, "unionid", "too_long"),
        ({"appid": "nonsense"}, "appid", "bad_pattern"),
        ({"event": None}, "event", "missing"),
        ({"openid": None}, "userId", "missing"),
        ({"timestamp": "yesterday"}, "timestamp", "bad_time"),
    ],
)
def test_a_message_with_proof_and_of_the_wrong_form_is_held_as_it_came(change: dict[str, Any], path: str, rule: str) -> None:
    message = {name: value for name, value in (TRACK | change).items() if value is not None}
    raw = read_raw({"batch": [message]})
    (reading,) = raw.items or ()
    assert (reading.path, reading.rule) == (path, rule)
    (again,) = read_raw({"batch": [json.loads(payload(raw, 0))]}, replayed=True).items or ()
    assert (again.path, again.rule) == (path, rule), "a replay sees the proof and the names again"


def test_an_openid_of_another_mini_program_is_kept_apart() -> None:
    openid = TRACK["openid"]
    assert one(appid=APPID).rows[0].identifiers == {"openid": openid}
    assert one(appid="wxfedcba9876543210").rows[0].identifiers == {"openid": f"wxfedcba9876543210-{openid}"}


def test_a_single_message_is_read_like_a_batch_of_one() -> None:
    (reading,) = read_raw(TRACK, only="track").items or ()
    assert reading.rows[0].identifiers == {"openid": TRACK["openid"]}
    (reading,) = read_raw(TRACK).items or ()
    assert not refused(reading)
    (reading,) = read_raw({"openid": TRACK["openid"], "name": "Home"}, only="page").items or ()
    assert refused(reading)
    for body in ([], {"batch": {}}):
        with pytest.raises(Invalid):
            read_raw(body)


def test_what_the_adapter_makes_is_what_the_dictionary_takes() -> None:
    raw = read_raw({"batch": [TRACK, TRACK | {"context": {}}]})
    made = canonical.canonicalise(raw, None, CATALOGUE, now=NOW, retention_days=30)
    assert made.malformed == ()
    assert made.parts[0].fields["_refuse"].to_pylist() == [None, "no_privacy_agreement"]


def test_the_agreement_goes_on_with_the_rows_and_into_the_batch() -> None:
    raw = read_raw({"batch": [TRACK, TRACK | {"messageId": "m2", "context": {}}]})
    agreed, refused_ = raw.items or ()
    assert [row.agreed for row in agreed.rows] == [Agreed("2026-01", micros(AT - timedelta(days=1)))]
    assert [row.agreed for row in refused_.rows] == [None]
    made = canonical.canonicalise(raw, None, CATALOGUE, now=NOW, retention_days=744, zone="Asia/Shanghai")
    (part,) = made.parts
    assert part.agreements is not None
    assert part.agreements.notice.to_pylist() == ["2026-01", None]
    assert part.agreements.at.to_pylist() == [AT - timedelta(days=1), None]
