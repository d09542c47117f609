"""The admission door on real stores, behind the real pipeline, with rows that a test writes in one line.

Promise: what a test sends goes the whole way in (canonical, admission, inbox); what it reads is what the stores hold.
"""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

import pyarrow as pa
import sqlalchemy as sa

from app.stores import Stores
from ingestion import inbox, pipeline
from ingestion.canonical import canonicalise
from ingestion.source import Claim, Reading, Row
from privacy.admission.door import Admission, AdmissionTools, Entry
from privacy.consent import registry
from privacy.dictionary import catalogue
from privacy.identity import keystate, normalise, vault
from privacy.identity.box import VaultBox
from privacy.identity.keys import Keyring
from privacy.orm import PlatformBase, VaultBase, to_micros
from privacy.preferences import Preferences
from privacy.records import Log, RawBatch, SourceFacts
from privacy.vocabulary import IdentifierType
from tests.conftest import NOW
from tests.fakes.log import RecordingLog

STATISTICS, PROFILING, HEALTH = "analytics.statistics", "marketing.profiling", "sensitive.health"
ANNA, BO = ("phone", "13800138000"), ("email", "bo@shop.example")
HEALTH_PURPOSE = registry.Purpose(HEALTH, {"CN": "separate_consent"}, separate=True, name={"en": "Health", "zh": "健康"})
ZONE = "Asia/Shanghai"
DAY = timedelta(days=1)
Who = tuple[str, str]


def source(**more: Any) -> SourceFacts:
    """A server source that declared both analytic purposes."""
    facts: dict[str, Any] = {"id": "src_web000000000", "name": "web", "kind": "segment", "public": False, "namespace": "web"}
    return SourceFacts(**(facts | {"purposes": frozenset({STATISTICS, PROFILING})} | more))


CLIENT = source(public=True, id="src_page00000000")
COOKIE = ("cookie", "c-7f3a9b")


def row(
    *who: Who, at: datetime = NOW, record: str = "event", claims: Sequence[Claim] = (), refuse: str | None = None, **fields: Any
) -> Row:
    """One row about whoever has these identifiers."""
    told = {"event": "product_viewed"} | fields if record == "event" else fields
    return Row(record, to_micros(at), told, dict(who), tuple(claims), refuse)


def claim(purpose: str = STATISTICS, *, granted: bool, at: datetime = NOW, explicit: bool = False) -> Claim:
    return Claim(purpose, granted, to_micros(at), explicit)


@dataclass
class Now:
    """A clock that a test moves."""

    at: datetime = NOW

    def __call__(self) -> datetime:
        return self.at


@dataclass
class Desk:
    """Where rows are handed in."""

    stores: Stores
    keyring: Keyring
    clock: Now = field(default_factory=Now)
    log: Log = field(default_factory=RecordingLog)
    before_commit: Callable[[], None] = lambda: None
    dictionary: catalogue.Catalogue = field(default_factory=catalogue.load)

    def __post_init__(self) -> None:
        with self.stores.begin_vault() as tx:
            VaultBase.metadata.create_all(tx)
            keystate.register(tx, self.keyring, now=NOW)
        with self.stores.begin_platform() as tx:
            PlatformBase.metadata.create_all(tx)
            registry.seed(tx, NOW)
            registry.add_purpose(tx, HEALTH_PURPOSE, NOW)
        self.door = self.another_door()

    def another_door(self) -> Admission:
        """The door as another process would open it."""
        tools = AdmissionTools(
            begin_vault=self.stores.begin_vault,
            read_vault=self.stores.read_vault,
            read_platform=self.stores.read_platform,
            keyring=self.keyring,
            catalogue=self.dictionary,
            log=self.log,
            clock=self.clock,
            random=os.urandom,
            zone=ZONE,
        )
        return Admission(tools)

    @property
    def box(self) -> VaultBox:
        return VaultBox(self.stores.begin_vault, self.keyring, clock=self.clock, random=os.urandom)

    @property
    def preferences(self) -> Preferences:
        return Preferences(
            begin_vault=self.stores.begin_vault,
            begin_platform=self.stores.begin_platform,
            keyring=self.keyring,
            log=self.log,
            clock=self.clock,
            random=os.urandom,
            zone=ZONE,
        )

    # ── acts ─────────────────────────────────────────────────────────────────────────────────────────────────────────────────

    def say(self, who: Who, state: str, purpose: str = STATISTICS, *, at: datetime | None = None, **more: Any) -> dict[str, Any]:
        """An explicit act, as `/v1/consents` records it."""
        item = {"identifier": {"type": who[0], "value": who[1]}, "purpose": purpose, "state": state, **more}
        if purpose == HEALTH:
            item |= {"default_state": "unchecked"}
        (told,) = self.preferences.record([item | ({} if at is None else {"at": at})], actor="usr_officer00000", namespace="web")
        return told

    def allow(self, *people: Who, purpose: str = STATISTICS) -> None:
        """These people allowed a purpose long ago."""
        told = {"purpose": purpose, "state": "granted", "at": NOW - timedelta(days=300)}
        items = [{"identifier": {"type": who[0], "value": who[1]}, **told} for who in people]
        self.preferences.record(items, actor="usr_officer00000", namespace="web")

    def send(self, *items: Row | Sequence[Row], source: SourceFacts = source(), ids: Sequence[str] | None = None) -> pipeline.Receipt:
        """Each argument is one received item: a row, or several rows of one message."""
        return pipeline.ingest(self.raw(items, source, ids), None, self._intake(self._admit))

    def raw(self, items: Sequence[Row | Sequence[Row]], source: SourceFacts, ids: Sequence[str] | None = None) -> RawBatch:
        names = ids or [str(uuid.uuid4()) for _ in items]
        readings = [
            Reading(name, rows=(item,) if isinstance(item, Row) else tuple(item), original={"item": number})
            for number, (name, item) in enumerate(zip(names, items, strict=True))
        ]
        return RawBatch(source, self.clock(), items=readings, request_id="req_" + uuid.uuid4().hex[:24])

    def decide(self, *items: Row | Sequence[Row], source: SourceFacts = source()) -> Entry:
        """The door's answer alone; nothing is put into the inbox."""
        raw = self.raw(items, source)
        return self.door(canonicalise(raw, None, self.dictionary, now=self.clock(), retention_days=744, zone=ZONE))

    def _admit(self, batch: Any) -> Entry:
        entry = self.door(batch)
        self.before_commit()
        return entry

    def _intake(self, admit: Any) -> pipeline.Intake:
        return pipeline.Intake(admit, self.stores.begin_platform, self.box, self.dictionary, self.clock, ZONE, 744)

    # ── what is there ────────────────────────────────────────────────────────────────────────────────────────────────────────

    def people(self) -> int:
        """People in the vault."""
        return self._count(self.stores.begin_vault, vault.Person)

    def identifiers(self) -> int:
        return self._count(self.stores.begin_vault, vault.Identifier)

    def lines(self, table: str = "events") -> list[Mapping[str, Any]]:
        """Rows that wait for a table of the lake."""
        with self.stores.begin_platform() as tx:
            waiting = [one.open() for one in inbox.pending(tx) if one.table == table]
        return pa.concat_tables(waiting).to_pylist() if waiting else []

    def rows(self) -> int:
        with self.stores.begin_platform() as tx:
            return inbox.waiting(tx)[1]

    def person(self, who: Who) -> bytes | None:
        values, _ = normalise.normalise(who[0], pa.array([who[1]]), namespace="web")
        with self.stores.begin_vault() as tx:
            return vault.lookup(tx, self.keyring, who[0], values[0].as_py())

    def allowed(self, who: Who, purpose: str = STATISTICS) -> bool:
        shown = self.preferences.show(who[0], who[1], actor="usr_officer00000", namespace="web")
        return bool(shown["purposes"][purpose]["allowed"])

    def _count(self, begin: Any, table: Any) -> int:
        with begin() as tx:
            return int(tx.execute(sa.select(sa.func.count()).select_from(table)).scalar_one())


# ── what tests ask of it ───────────────────────────────────────────────────────────────────────────────────────────────────────


def born(year: int, month: int, day: int) -> str:
    return date(year, month, day).isoformat()


def counts(desk: Desk, table: type) -> int:
    with desk.stores.begin_platform() as tx:
        return int(tx.execute(sa.select(sa.func.count()).select_from(table)).scalar_one())


def erase(desk: Desk, kind: str, value: str) -> None:
    (normal,) = normalise.normalise(kind, pa.array([value]), namespace="web")[0].to_pylist()
    with desk.stores.begin_vault() as tx:
        vault.add_tombstones(tx, desk.keyring, [(IdentifierType(kind), normal)], now=NOW)
