"""Records of a topic that is spoken to in Kafka's protocol, partition by partition, from the offsets that we keep ourselves.

Promise: the truth about what was read is the offset that stands in the transaction of the rows; what the brokers are told afterwards is
for their displays alone. Partitions are assigned and sought by us, so no rebalance can hand one to two readers unnoticed. A record that
cannot be read is a fault of its own, and the records around it go on; a tombstone is passed over and counted. Keys and headers are not
looked at. No word of the library, which may quote addresses, leaves this module.
"""

from __future__ import annotations

import hashlib
import logging
import re
import ssl
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, unquote, urlsplit

from ingestion import cursors, strictjson
from ingestion.cursors import PLACE_COLUMN, Pause, Place, Step, Steps, known_by_place
from ingestion.source import Reading
from privacy.errors import Conflict, Invalid, NotConfigured, NotFound, PiyingError, Refused, Unavailable
from privacy.records import RawBatch
from privacy.vocabulary import FormRule

if TYPE_CHECKING:
    from datetime import datetime

    import sqlalchemy as sa

    from ingestion.mapping import FileMapping
    from privacy.records import Clock, SourceFacts

POLL_SECONDS = 0.5
ANSWER_SECONDS = 10.0
MOST_RECORD = 1024 * 1024
"""Longest record that is looked at; a larger one is a fault, and only its place is kept."""
_READ_AHEAD_KILOBYTES = 16_384
_TOPIC = re.compile(r"[A-Za-z0-9._-]{1,249}\Z")
_MECHANISMS = ("PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512")
_LOGGER = logging.getLogger("piying.stream")
_LOGGER.addHandler(logging.NullHandler())
_LOGGER.propagate = False


def defined(config: Mapping[str, object]) -> str:
    """The topic that a definition names; raises Invalid."""
    topic: str = cursors.checked(config, {"topic": str}, ("topic",))["topic"]
    if not _TOPIC.match(topic):
        raise Invalid("a topic has up to 249 letters, digits, points, hyphens or underscores", code="pull_invalid", field="topic")
    return topic


@dataclass(frozen=True, slots=True)
class Record:
    """One record by its place."""

    offset: int
    value: bytes


Shape = Callable[["SourceFacts", str, Sequence[Record], "datetime"], RawBatch]
"""Makes a batch of one partition's records; the text is topic and partition."""


def read(
    address: str, topic: str, mapping: FileMapping | None, source: SourceFacts, places: Mapping[str, Place], *, clock: Clock, rows: int,
    shape: Shape,
) -> Steps:  # fmt: skip
    """Batches of one partition each, as they come, and a pause whenever nothing came for half a second. Never ends by itself."""
    library = _library()
    consumer = _consumer(library, {**_settings(address), "group.id": f"piying-{source.id}"})
    try:
        nexts, unread = _assign(library, consumer, topic, places)
        mapping = None if mapping is None else known_by_place(mapping)
        while True:
            polled = _polled(library, consumer, rows, unread)
            for partition, (records, last, tombstones) in polled.items():
                expected = nexts.get(partition)
                raw = shape(source, f"{topic}/{partition}", records, clock()) if records else None
                tell = _teller(library, consumer, topic, partition, last + 1)
                counts = {"tombstones": tombstones} if tombstones else {}
                yield Step(_settle(source, partition, expected, last + 1, clock), raw, mapping, counts, after=tell)
                nexts[partition] = last + 1
            if not polled:
                yield Pause.WAITING if unread else Pause.CAUGHT_UP
    except library.KafkaException as error:
        raise _meaning(library, error.args[0]) from None
    finally:
        consumer.close()


def _settle(source: SourceFacts, partition: int, expected: int | None, number: int, clock: Clock) -> Callable[[sa.Connection], None]:
    def settle(tx: sa.Connection) -> None:
        cursors.move(tx, source.id, str(partition), number, expected=expected, now=clock())

    return settle


# ── records as items ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def mapped(source: SourceFacts, place: str, records: Sequence[Record], now: datetime) -> RawBatch:
    """Records as JSON objects for a mapping, each with its place."""
    parsed = strictjson.loads_lines([_within(record) for record in records])
    items: list[Any] = list(parsed.value)
    for fault in parsed.faults:
        items[fault.index] = _fault(records[fault.index], fault.path, fault.rule)
    for index, record in enumerate(records):
        if isinstance(items[index], dict):
            items[index][PLACE_COLUMN] = f"{place}/{record.offset}"
    return batch(source, place, records, items, now)


def named(source: SourceFacts, place: str, records: Sequence[Record], readings: Sequence[Reading], now: datetime) -> RawBatch:
    """Records that an adapter of messages has read; one without an id of its own is known by its place."""
    items = [
        one if one.message_id is not None else replace(one, message_id=f"{place}/{record.offset}")
        for one, record in zip(readings, records, strict=True)
    ]
    return batch(source, place, records, items, now)


def document(records: Sequence[Record]) -> strictjson.Parsed:
    """Records as one request of messages."""
    parsed = strictjson.loads_lines([_within(record) for record in records])
    values = list(parsed.value)
    for fault in parsed.faults:
        values[fault.index] = {"text": _shown(records[fault.index])}
    faults = [replace(one, rule=FormRule.TOO_LARGE) if _large(records[one.index]) else one for one in parsed.faults]
    return strictjson.Parsed({"batch": values}, tuple(faults))


def batch(source: SourceFacts, place: str, records: Sequence[Record], items: Sequence[Any], now: datetime) -> RawBatch:
    """A partition's batch: positions count from the first record's offset."""
    first = records[0].offset
    return RawBatch(source, now, items=items, first=first, chunk=hashlib.sha256(f"{place}/{first}".encode()).digest())


def _within(record: Record) -> bytes:
    return b"" if _large(record) else record.value


def _large(record: Record) -> bool:
    return len(record.value) > MOST_RECORD


def _fault(record: Record, path: str, rule: FormRule) -> Reading:
    return Reading(None, path=path, rule=FormRule.TOO_LARGE if _large(record) else rule, original={"text": _shown(record)})


def _shown(record: Record) -> str:
    """What is sealed of a record that is no JSON."""
    return _within(record).decode("utf-8", "backslashreplace")


# ── the library ────────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _library() -> Any:
    try:
        import confluent_kafka
    except ImportError:
        raise NotConfigured("streams need the extra `stream`: install piying[stream]", code="stream_not_installed") from None
    return confluent_kafka


def _settings(address: str) -> dict[str, Any]:
    """`kafka://[user:password@]host:port[,host:port…][?tls=1&mechanism=SCRAM-SHA-512&ca=FILE]` as the library's settings.

    What would not take effect is refused and not passed over: a certificate without TLS, a mechanism without an account. So is a password
    that would be sent in clear.
    """
    wrong = Invalid("the address is none of a stream", code="pull_address_invalid")
    account, at, hosts = address.removeprefix("kafka://").partition("?")[0].rpartition("@")
    options = dict(parse_qsl(urlsplit(address).query, keep_blank_values=True))
    idle = ("ca" in options and options.get("tls") != "1") or ("mechanism" in options and not at)
    mechanism = options.pop("mechanism", "PLAIN")
    tls, ca = options.pop("tls", "0"), options.pop("ca", "")
    if idle:
        raise Invalid("ca needs tls=1, and mechanism an account", code="pull_address_invalid")
    if at and tls != "1" and mechanism == "PLAIN":
        raise Invalid("an account needs tls=1 or a mechanism of SCRAM: its password would be sent in clear", code="pull_address_invalid")
    if not address.startswith("kafka://") or not hosts.strip("/") or options or mechanism not in _MECHANISMS or tls not in ("0", "1"):
        raise wrong
    made: dict[str, Any] = {
        "bootstrap.servers": hosts.strip("/"),
        "security.protocol": ("SASL_" if at else "") + ("SSL" if tls == "1" else "PLAINTEXT"),
        "client.id": "piying",
        "enable.auto.commit": False,
        "enable.auto.offset.store": False,
        "auto.offset.reset": "error",
        "enable.partition.eof": True,
        "allow.auto.create.topics": False,
        "isolation.level": "read_committed",
        "queued.max.messages.kbytes": _READ_AHEAD_KILOBYTES,
    }
    if at:
        user, colon, password = account.partition(":")
        if not (user and colon and password):
            raise wrong
        made |= {"sasl.mechanism": mechanism, "sasl.username": unquote(user), "sasl.password": unquote(password)}
    return made | ({"ssl.ca.location": _authority(ca)} if ca else {})


def _authority(path: str) -> str:
    """A file of certificates that can be read: the library would only say that no broker answers."""
    try:
        ssl.create_default_context(cafile=path)
    except (OSError, ssl.SSLError):
        raise NotConfigured("the file of certificates (ca) cannot be read, or holds none", code="stream_ca_unreadable") from None
    return path


def _consumer(library: Any, settings: dict[str, Any]) -> Any:
    try:
        return library.Consumer({**settings, "logger": _LOGGER})
    except (library.KafkaException, ValueError, TypeError):
        raise Invalid("the address is none of a stream", code="pull_address_invalid") from None


def _assign(library: Any, consumer: Any, topic: str, places: Mapping[str, Place]) -> tuple[dict[int, int], set[int]]:
    """Takes every partition of the topic, each where our own position says; gives the known positions and all partitions."""
    found = consumer.list_topics(topic, timeout=ANSWER_SECONDS).topics.get(topic)
    if found is None or found.error is not None or not found.partitions:
        raise _meaning(library, found.error if found is not None else None)
    known = {int(part): place.number for part, place in places.items()}
    begin = library.OFFSET_BEGINNING
    consumer.assign([library.TopicPartition(topic, partition, known.get(partition, begin)) for partition in sorted(found.partitions)])
    return known, set(found.partitions)


def _polled(library: Any, consumer: Any, rows: int, unread: set[int]) -> dict[int, tuple[list[Record], int, int]]:
    """What came, by partition: records, the last offset, how many tombstones. `unread` loses partitions that were read to their end."""
    records: dict[int, list[Record]] = {}
    last: dict[int, int] = {}
    tombstones: Counter[int] = Counter()
    for message in consumer.consume(rows, timeout=POLL_SECONDS):
        partition, value, error = message.partition(), message.value(), message.error()
        if error is not None:
            if error.code() != library.KafkaError._PARTITION_EOF:
                raise library.KafkaException(error)
            unread.discard(partition)
            continue
        unread.add(partition)
        last[partition] = message.offset()
        records.setdefault(partition, [])
        if value is None:
            tombstones[partition] += 1
        else:
            records[partition].append(Record(message.offset(), value))
    return {partition: (found, last[partition], tombstones[partition]) for partition, found in records.items()}


def _teller(library: Any, consumer: Any, topic: str, partition: int, offset: int) -> Callable[[], None]:
    """Tells the brokers how far we are, for whoever looks at the group's lag there; nothing depends on it."""

    def tell() -> None:
        with suppress(library.KafkaException):
            consumer.commit(offsets=[library.TopicPartition(topic, partition, offset)], asynchronous=True)

    return tell


def _meaning(library: Any, error: Any) -> PiyingError:
    """One of our errors for one of the library's."""
    code = None if error is None else error.code()
    kinds = library.KafkaError
    if code in (kinds._AUTO_OFFSET_RESET, kinds.OFFSET_OUT_OF_RANGE):
        return Conflict("the brokers no longer have the record where reading stopped", code="stream_offset_lost")
    if code is None or code in (kinds.UNKNOWN_TOPIC_OR_PART, kinds._UNKNOWN_TOPIC, kinds._UNKNOWN_PARTITION):
        return NotFound("the brokers have no such topic", code="stream_topic_unknown", field="topic")
    refused = (kinds._AUTHENTICATION, kinds.SASL_AUTHENTICATION_FAILED, kinds.TOPIC_AUTHORIZATION_FAILED, kinds.GROUP_AUTHORIZATION_FAILED)
    if code in refused:
        return Refused("the brokers refused the account", code="stream_refused")
    return Unavailable("the brokers do not answer", code="stream_unavailable", retry_after=30)
