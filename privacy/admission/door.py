"""The door in: who is it, do they allow it, what may be kept, under which virtual ID.

Promise: a row leaves this door only if an analytic purpose is allowed for its person at the row's time and now (DESIGN §6), without a
direct identifier, with each field under its dictionary treatment. What is refused leaves as a position and a reason; its payload dies
here. Identifiers enter the vault only with an admitted row or with consent itself, before the platform transaction, idempotently.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import compress
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from privacy.admission import flagged, screening
from privacy.audit import merkle
from privacy.consent import agreements, gate, ledger, reach, registry, stopped
from privacy.consent.recent import RecentTimelines
from privacy.deidentify import freetext, rules
from privacy.errors import Raced
from privacy.identity import pseudonyms, vault
from privacy.identity.monthkeys import MonthKeys
from privacy.identity.recent import RecentPeople
from privacy.orm import to_micros
from privacy.outcomes import Verdicts
from privacy.records import CanonicalBatch, CanonicalPart, DeidentifiedBatch, Malformed, Refusals, SourceFacts, TablePart
from privacy.vocabulary import (
    ANALYTIC_PURPOSES,
    LogKind,
    Verdict,
)

if TYPE_CHECKING:
    import sqlalchemy as sa

    from privacy.dictionary.catalogue import Catalogue
    from privacy.identity.keys import Keyring
    from privacy.orm import Begin
    from privacy.records import Clock, Log, RandomBytes

Bools = npt.NDArray[np.bool_]
Allowed = tuple[Mapping[str, gate.Decisions], Mapping[tuple[str, str], gate.Decisions]]
"""What holds row by row: for each purpose, and for those uses of it that a later notice added."""


@dataclass(frozen=True, slots=True)
class AdmissionTools:
    """What the wiring hands to the door."""

    begin_vault: Begin
    read_vault: Begin
    read_platform: Begin
    keyring: Keyring
    catalogue: Catalogue
    log: Log
    clock: Clock
    random: RandomBytes
    zone: str


@dataclass(slots=True)
class Entry:
    """What the door answers (records.Admitted)."""

    batch: DeidentifiedBatch
    refusals: Refusals
    malformed: tuple[Malformed, ...]
    older_digests: Sequence[tuple[pa.Int64Array, pa.FixedSizeBinaryArray]]
    dropped_fields: Mapping[str, int]
    _acts: Sequence[screening.Act]
    _agreements: Sequence[screening.Told]
    _aliases: Mapping[bytes, Sequence[bytes]]
    _handles: bytes
    _decided_at: int
    _refused_links: int
    _stopped: Mapping[tuple[bytes, str], int]
    _flags: int
    _today: date
    _source: str
    _log: Log

    def settle(self, tx: sa.Connection, verdicts: Mapping[int, Verdict]) -> None:
        """The batch's log entry, then a look whether consent moved meanwhile, then its acts; the log's lock makes the look final."""
        told = Verdicts.of(verdicts)
        tally = told.tally()
        counts = {verdict.value: tally.get(verdict, 0) for verdict in Verdict}
        root = merkle.root_of(screening.verdict_leaves(told))
        facts = {"batch": self.batch.batch_id, "verdicts": root, "acts": len(self._acts), **counts}
        if self._refused_links:
            facts["refused_links"] = self._refused_links
        if self._agreements:
            facts["agreements"] = len(self._agreements)
        entry = self._log(tx, LogKind.INGEST, "ingest.batch", actor=self._source, facts=facts)
        people = screening.blocks(self._handles)
        if people and (ledger.changed_since(tx, self._decided_at, people) or flagged.raced(tx, self._flags, people)):
            raise Raced("consent changed while the batch was decided", retry_after=1)
        if self._acts:
            brought = [one.act for one in compress(self._acts, _taken(self._acts, told))]
            ledger.append(tx, brought, aliases=self._aliases, entry=entry)
        stopped.add(tx, self._stopped, self._today)
        agreements.add(tx, [one.agreement for one in compress(self._agreements, _taken(self._agreements, told))])


def _decided(
    lines: Mapping[str, gate.Lines],
    narrow: Mapping[tuple[str, str], gate.Lines],
    purposes: Sequence[str],
    flags: flagged.Flagged,
    person: npt.NDArray[np.integer],
    times: npt.NDArray[np.int64],
    now: int,
) -> tuple[dict[str, gate.Decisions], dict[tuple[str, str], gate.Decisions]]:
    """Row by row what consent, flags and the scope of notices leave of each purpose, and of the uses that a notice added."""
    allowed = dict(flagged.close(flags, person, {purpose: gate.decide_lines(lines[purpose], person, times, now) for purpose in purposes}))
    reached = {use: gate.decide_lines(line, person, times, now) for use, line in narrow.items()}
    allowed |= {key: gate.both(allowed[key], said) for (key, category), said in reached.items() if not category and key in allowed}
    return allowed, reached


def _taken(brought: Sequence[screening.Act | screening.Told], told: Verdicts) -> Bools:
    """What came with items that are neither held nor known already."""
    places = np.fromiter((one.position for one in brought), np.int64, len(brought))
    return ~(told.among(places, Verdict.DUPLICATE) | told.among(places, Verdict.QUARANTINED))


class Admission:
    """The admission door (records.Admit)."""

    def __init__(self, tools: AdmissionTools) -> None:
        self._tools = tools
        self._people = RecentPeople()
        self._consents = RecentTimelines()
        self._added = reach.Added()
        self._keys = MonthKeys(tools.keyring, tools.begin_vault, tools.read_vault, tools.random)

    def __call__(self, batch: CanonicalBatch) -> Entry:
        tools, now = self._tools, self._tools.clock()
        people = [part for part in batch.parts if tools.catalogue.records[part.record].people]
        stack = screening.stack(people, batch.source)
        with tools.read_vault() as tx:
            found = vault.resolve(
                tx,
                tools.keyring,
                stack.identifiers,
                may_link_strong=not batch.source.public,
                random=tools.random,
                recent=self._people,
            )
        handle = tools.keyring.block_cipher(pseudonyms.CONSENT_HANDLE)
        handles = pseudonyms.handles(found.people, handle)
        aliases = {handle(winner): [handle(each) for each in others] for winner, others in found.families.items()}
        with tools.read_platform() as tx:
            known = registry.purpose_keys(tx)
            acts, refuse = screening.consent_acts(stack, batch, found, handles, known, to_micros(now))
            wanted = {*ANALYTIC_PURPOSES, *screening.sensitive_purposes(tools.catalogue, stack.parts)} & known
            pending = [one.act for one in acts]
            decided_at, lines = self._consents.of(tx, handles, wanted, pending=pending, aliases=aliases, fresh=screening.strangers(found))
            narrow = self._narrow(tx, handles, stack.parts, pending, aliases)
            flags = flagged.of(tx, screening.blocks(handles), aliases)
        screening.refuse_by_person(stack, found, refuse, now, tools.zone)
        flagged.refuse(flags, found.index, refuse)
        person = np.maximum(found.index, 0)
        allowed, reached = _decided(lines, narrow, sorted(wanted) if handles else (), flags, person, stack.times, to_micros(now))
        screening.refuse_without_consent(stack, batch.source, allowed, refuse)
        screening.refuse_sensitive(tools.catalogue, stack, allowed, refuse)
        acts = screening.that_count(acts, refuse)
        malformed, refusals, admitted = screening.by_item(stack, batch, refuse, acts)
        quarantined = {one.position for one in malformed}
        acts = [one for one in acts if one.position not in quarantined]
        keep = admitted.copy()
        keep[[one.row for one in acts]] = True
        today = now.astimezone(ZoneInfo(tools.zone)).date()
        denied = screening.denied(found, refuse)
        self._store(batch, found, keep, denied, screening.births(stack, found, batch.source, admitted, refuse, today), now)
        doubted: Counter[str] = Counter()
        stored = keep & ~np.isin(stack.positions, refusals.positions)
        parts, older = self._parts(batch, stack, found, admitted, (allowed, reached), stored, now, doubted)
        return Entry(
            batch=DeidentifiedBatch(batch.source.id, batch.batch_id, batch.received_at, tuple(parts)),
            refusals=refusals,
            malformed=malformed,
            older_digests=older,
            dropped_fields=doubted,
            _acts=acts,
            _agreements=screening.agreements(stack, batch, found, handles, stored & admitted, to_micros(now)),
            _aliases=aliases,
            _handles=handles + b"".join(each for others in aliases.values() for each in others),
            _decided_at=decided_at,
            _refused_links=sum(bool(keep[one.row]) for one in found.refusals),
            _stopped=screening.stopped(stack, batch.source, found, handles, allowed, refusals),
            _flags=flags.head,
            _today=today,
            _source=batch.source.id,
            _log=tools.log,
        )

    def _narrow(
        self,
        tx: sa.Connection,
        handles: bytes,
        parts: Sequence[CanonicalPart],
        pending: Sequence[ledger.ConsentAct],
        aliases: Mapping[bytes, Sequence[bytes]],
    ) -> dict[tuple[str, str], gate.Lines]:
        """By purpose and category what consent does not reach since a notice added it (PIPL 14(2)); empty where none did."""
        found: dict[tuple[str, str], gate.Lines] = {}
        for purpose, covered in self._added.of(tx).items() if handles else ():
            fields = [self._tools.catalogue.records[part.record].fields.get(name) for part in parts for name in part.fields.column_names]
            brought = {field.category for field in fields if field is not None and purpose in field.purposes}
            wanted: set[str] = {one for one in brought if one in covered.added()} | ({""} if covered.renewed else set())
            made = reach.lines(tx, handles, purpose, covered, wanted, pending=pending, aliases=aliases)
            found |= {(purpose, category): line for category, line in made.items()}
        return found

    # ── the vault's part ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def _store(
        self, batch: CanonicalBatch, found: vault.Resolution, keep: Bools, denied: Bools, births: Mapping[bytes, date], now: datetime
    ) -> None:
        """Writes people, links and birth dates of kept rows; nothing where every kept row's person and links stand already.

        Of rows that a no refused only this is kept: that a visitor whom the vault knows is a person whom it knows, so that the no holds.
        """
        if not screening.has_news(found, keep | denied) and not births:
            return
        tools = self._tools
        with tools.begin_vault() as tx:
            vault.store(
                *(tx, tools.keyring, found, pa.array(keep)),
                batch_id=batch.batch_id,
                now=now,
                random=tools.random,
                source=batch.source.id,
                denied=pa.array(denied),
            )
            if births:
                today = now.astimezone(ZoneInfo(tools.zone)).date()
                vault.set_birth(tx, tools.keyring, list(births), list(births.values()), today=today, random=tools.random)

    # ── the lake's part ──────────────────────────────────────────────────────────────────────────────────────────────────────

    def _parts(
        self,
        batch: CanonicalBatch,
        stack: screening.Stack,
        found: vault.Resolution,
        admitted: Bools,
        allowed: Allowed,
        stored: Bools,
        now: datetime,
        doubted: Counter[str],
    ) -> tuple[list[TablePart], list[tuple[pa.Int64Array, pa.FixedSizeBinaryArray]]]:
        parts: list[TablePart] = []
        older: list[tuple[pa.Int64Array, pa.FixedSizeBinaryArray]] = []
        for part, rows in zip(stack.parts, stack.slices(), strict=True):
            kept = stored[rows]
            if not kept.any():
                continue
            digests = self._digests(batch, part.message_ids, part.positions, kept, now, older)
            made = self._tables(part, rows, found, admitted[rows], allowed, batch.source, now, doubted)
            entered = pa.array(admitted[rows])
            own = None if digests is None else digests.filter(pa.array(admitted[rows][kept]))
            parts += [TablePart(table, part.positions.filter(entered), own, lines) for table, lines in made.items()]
            if not made or not admitted[rows][kept].all():
                parts.append(TablePart("", part.positions.filter(pa.array(kept)), digests, pa.table({})))
        for part in batch.parts:
            record = self._tools.catalogue.records[part.record]
            if not record.people:
                everything = np.ones(len(part.positions), bool)
                digests = self._digests(batch, part.message_ids, part.positions, everything, now, older)
                for table in record.tables:
                    lines = self._apply(table, part, part.fields, part.times, allowed=None, now=now, doubted=doubted)
                    parts.append(TablePart(table, part.positions, digests, lines))
        return parts, older

    def _tables(
        self,
        part: CanonicalPart,
        rows: slice,
        found: vault.Resolution,
        admitted: Bools,
        allowed: Allowed,
        source: SourceFacts,
        now: datetime,
        doubted: Counter[str],
    ) -> dict[str, pa.Table]:
        """The admitted rows of a part as the lake's tables, under the month's virtual IDs."""
        record = self._tools.catalogue.records[part.record]
        if not admitted.any() or not record.tables:
            return {}
        mask = pa.array(admitted)
        fields, times = part.fields.filter(mask), part.times.filter(mask)
        serves = {one: said for one, said in allowed[0].items() if one in source.purposes or one not in ANALYTIC_PURPOSES}
        may: dict[str, pa.BooleanArray | bool] = {}
        for name, field in record.fields.items():
            if name in fields.column_names:
                said = [(serves[one], allowed[1].get((one, field.category), serves[one])) for one in field.purposes if one in serves]
                columns = [(now_.allowed & within.allowed)[rows][admitted] for now_, within in said]
                told = np.logical_or.reduce(columns) if columns else np.zeros(1, bool)
                may[name] = bool(told[0]) if told.all() or not told.any() else pa.array(told)
        virtual_ids = self._virtual_ids(found, found.index[rows][admitted], rules.local_month(times, self._tools.zone))
        tables = {}
        for table in record.tables:
            lines = self._apply(table, part, fields, times, allowed=may, now=now, doubted=doubted)
            lines = lines.append_column("virtual_id", virtual_ids)
            tables[table] = lines.append_column(
                "source", pa.array([source.name], pa.string()).take(pa.array(np.zeros(len(times), np.int8)))
            )
        return tables

    def _apply(
        self,
        table: str,
        part: CanonicalPart,
        fields: pa.Table,
        times: pa.TimestampArray,
        *,
        allowed: rules.Allowed | None,
        now: datetime,
        doubted: Counter[str],
    ) -> pa.Table:
        """A part's rows under the dictionary's treatments; texts left out in doubt are added to `doubted`."""
        tools = self._tools

        def link(kind: str, values: pa.StringArray, months: pa.Int32Array) -> pa.Int64Array:
            return self._keys.row_macs(kind, values, months, now=now)

        treated = rules.apply(
            tools.catalogue, table, part.record, fields, times, zone=tools.zone, link=link, scrub=freetext.scrub, allowed=allowed
        )
        doubted.update(treated.doubted)
        return treated.rows

    def _virtual_ids(self, found: vault.Resolution, index: npt.NDArray[np.int64], months: pa.Int32Array) -> pa.Int64Array:
        """Each row's virtual ID: its person's under the key of its data month."""
        month = months.to_numpy(zero_copy_only=False)
        made = np.empty(len(index), np.int64)
        for one in np.unique(month).tolist():
            cipher = self._tools.keyring.block_cipher(pseudonyms.VIRTUAL_ID, str(one))
            rows = month == one
            made[rows] = pseudonyms.virtual_ids(found.people, cipher)[index[rows]]
        return pa.array(made)

    # ── dedupe keys ──────────────────────────────────────────────────────────────────────────────────────────────────────────

    def _digests(
        self,
        batch: CanonicalBatch,
        message_ids: pa.StringArray | None,
        positions: pa.Int64Array,
        kept: Bools,
        now: datetime,
        older: list[tuple[pa.Int64Array, pa.FixedSizeBinaryArray]],
    ) -> pa.FixedSizeBinaryArray | None:
        """The dedupe keys of kept rows under this epoch's key; those under the epochs beside it are added to `older`.

        Rows without a message id of their own are known by the digest of their chunk and their place in it.
        """
        mask = pa.array(kept)
        if message_ids is None:
            if batch.chunk is None:
                return None
            message_ids = pc.binary_join_element_wise(batch.chunk.hex(), pc.cast(positions, pa.string()), "/")
        ids = message_ids.filter(mask)
        current, beside = self._keys.message_ciphers(now, batch.source.id)
        older += [(positions.filter(mask), pseudonyms.message_digests(cipher, ids)) for cipher in beside]
        return pseudonyms.message_digests(current, ids)
