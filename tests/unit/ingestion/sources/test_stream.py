"""Records of a topic as items: faults stay alone, places are their names, addresses become settings without a guess."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from ingestion.cursors import PLACE_COLUMN
from ingestion.source import Reading
from ingestion.sources import stream
from ingestion.sources.stream import Record
from privacy.errors import Conflict, Invalid, NotConfigured, NotFound, Refused, Unavailable
from privacy.records import SourceFacts
from privacy.vocabulary import FormRule
from tests.conftest import NOW
from tests.flow.sealing import certify

SOURCE = SourceFacts("src_a", "live", "stream", public=False, purposes=frozenset())
RECORDS = [
    Record(7, b'{"a": 1}'),
    Record(8, b"\xff\xfe"),
    Record(9, b"[1]"),
    Record(12, b'{"a":\n 2}'),
    Record(13, b'{"a": "' + b"x" * stream.MOST_RECORD + b'"}'),
]


@pytest.fixture
def authority(tmp_path: Path) -> Path:
    """A file with the certificate of an authority."""
    return certify(tmp_path)[0]


def test_records_keep_their_places_and_faults_stay_alone() -> None:
    raw = stream.mapped(SOURCE, "t/3", RECORDS, NOW)
    assert raw.first == 7
    items: Any = raw.items
    assert [item.get(PLACE_COLUMN) if isinstance(item, dict) else item.rule for item in items] == [
        "t/3/7", FormRule.BAD_TEXT, FormRule.NOT_AN_OBJECT, "t/3/12", FormRule.TOO_LARGE,
    ]  # fmt: skip
    assert items[1].original == {"text": "\\xff\\xfe"}
    assert items[4].original == {"text": ""}, "of a record that is too large only its place is kept"
    assert stream.mapped(SOURCE, "t/4", RECORDS, NOW).chunk != raw.chunk


def test_a_message_without_an_id_is_known_by_its_place() -> None:
    readings = [Reading("own"), Reading(None), Reading(None, rule=FormRule.TOO_LARGE), Reading("x"), Reading("y")]
    items: Any = stream.named(SOURCE, "t/3", RECORDS, readings, NOW).items
    assert [one.message_id for one in items] == ["own", "t/3/8", "t/3/9", "x", "y"]
    parsed = stream.document(RECORDS)
    assert [fault.rule for fault in parsed.faults] == [FormRule.BAD_TEXT, FormRule.NOT_AN_OBJECT, FormRule.TOO_LARGE]
    assert len(parsed.value["batch"]) == len(RECORDS)


def test_an_address_says_where_how_and_who(authority: Path) -> None:
    made = stream._settings(f"kafka://shop%40x:p%2Fw@a:1,b:2/?tls=1&mechanism=SCRAM-SHA-512&ca={authority}")
    assert {name: made[name] for name in made if name.startswith(("boot", "sec", "sasl", "ssl"))} == {
        "bootstrap.servers": "a:1,b:2",
        "security.protocol": "SASL_SSL",
        "sasl.mechanism": "SCRAM-SHA-512",
        "sasl.username": "shop@x",
        "sasl.password": "p/w",
        "ssl.ca.location": str(authority),
    }
    assert stream._settings("kafka://a:1?tls=1")["security.protocol"] == "SSL"
    assert stream._settings("kafka://u:p@a:1?tls=1")["sasl.mechanism"] == "PLAIN"
    assert stream._settings("kafka://u:p@a:1?mechanism=SCRAM-SHA-256")["security.protocol"] == "SASL_PLAINTEXT"
    assert stream._settings("kafka://a:1")["security.protocol"] == "PLAINTEXT"
    assert (made["enable.auto.commit"], made["auto.offset.reset"]) == (False, "error")


@pytest.mark.parametrize(
    "address",
    [
        "a:1",
        "kafka://",
        "http://a:1",
        "kafka://a:1?debug=all",
        "kafka://u:p@a:1?tls=1&mechanism=NONE",
        "kafka://a?tls=2",
        "kafka://a:1?ca=/ca.pem",
        "kafka://a:1?tls=1&mechanism=PLAIN",
        "kafka://u:p@a:1",
        "kafka://u:p@a:1?mechanism=PLAIN",
        "kafka://u@a:1?tls=1",
        "kafka://:p@a:1?tls=1",
    ],
)
def test_an_address_with_anything_else_is_refused(address: str) -> None:
    with pytest.raises(Invalid) as refused:
        stream._settings(address)
    assert refused.value.code == "pull_address_invalid"


def test_a_file_of_certificates_is_looked_at_before_anybody_is_called(tmp_path: Path) -> None:
    (tmp_path / "empty.pem").write_text("no certificate", encoding="utf-8")
    for path in (tmp_path / "nothing.pem", tmp_path / "empty.pem"):
        with pytest.raises(NotConfigured) as caught:
            stream._settings(f"kafka://a:1?tls=1&ca={path}")
        assert (caught.value.code, str(tmp_path) in str(caught.value)) == ("stream_ca_unreadable", False)


@pytest.mark.parametrize("mechanism", ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"])
def test_the_library_takes_every_way_of_security_that_an_address_can_name(authority: Path, mechanism: str) -> None:
    import confluent_kafka as library

    address = f"kafka://shop:secret@127.0.0.1:9/?tls=1&mechanism={mechanism}&ca={authority}"
    consumer = stream._consumer(library, {**stream._settings(address), "group.id": "x"})
    assert consumer.assignment() == []
    consumer.close()


def test_without_the_library_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "confluent_kafka", None)
    with pytest.raises(NotConfigured, match=r"piying\[stream\]"):
        next(stream.read("kafka://a:1", "t", None, SOURCE, {}, clock=lambda: NOW, rows=1, shape=stream.mapped))


def test_errors_of_the_library_become_ours_and_quote_nothing() -> None:
    import confluent_kafka as library

    kinds = library.KafkaError
    expected = {
        kinds.OFFSET_OUT_OF_RANGE: (Conflict, "stream_offset_lost"),
        kinds.UNKNOWN_TOPIC_OR_PART: (NotFound, "stream_topic_unknown"),
        kinds.TOPIC_AUTHORIZATION_FAILED: (Refused, "stream_refused"),
        kinds._AUTHENTICATION: (Refused, "stream_refused"),
        kinds._ALL_BROKERS_DOWN: (Unavailable, "stream_unavailable"),
        kinds._TRANSPORT: (Unavailable, "stream_unavailable"),
    }
    for number, (kind, code) in expected.items():
        error = stream._meaning(library, library.KafkaError(number, "secret 13800138000"))
        assert type(error) is kind
        assert (error.code, "secret" in str(error)) == (code, False)
    assert stream._meaning(library, None).code == "stream_topic_unknown"


@pytest.mark.parametrize("topic", ["", "a b", "x" * 300, "a/b"])
def test_a_topic_has_a_closed_form(topic: str) -> None:
    with pytest.raises(Invalid):
        stream.defined({"topic": topic})
    assert stream.defined({"topic": "shop.orders-1"}) == "shop.orders-1"
