"""What people are told and asked: notices published by content, whom a change asks again, and what stands for one person at this moment.

Promise: a notice that lacks an item of the law is not published; a published one is never changed; what it added is denied to whoever agreed
to an earlier one, until they are asked again. Every publication and every count about people is an entry of the log; a decision's entry is
committed before anything is read, and tells nobody apart who is unknown or erased. Identifiers come in arguments and leave by no answer.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import groupby
from typing import Any
from zoneinfo import ZoneInfo

import pyarrow as pa
import sqlalchemy as sa

from privacy.audit.log import LogEntry
from privacy.consent import asked, flags, ledger, registry, scope, wording
from privacy.consent.ledger import ConsentEventRow, ConsentStateRow
from privacy.consent.registry import Notice, Purpose
from privacy.consent.wording import Change, Draft
from privacy.errors import Invalid, NotFound, Refused
from privacy.identity import families, merging, normalise, pseudonyms, resolution, vault
from privacy.identity.keys import Keyring
from privacy.orm import Begin, from_micros, to_micros
from privacy.records import Clock, Log
from privacy.vocabulary import ConsentState, IdentifierType, LogKind

PUBLISH, PREVIEW, ENDING, DECIDE, REGISTER = "notice.publish", "notice.preview", "consent.ending", "consent.decide", "purpose.add"
MOST = 100
"""Decisions of one request."""
LISTED = 200
"""Lines of the list of what ends soon."""
LATEST = 1_000
"""Withdrawals over which the latency is told."""
ID = 16
_EVENT: Any = ConsentEventRow.__table__
_STATE: Any = ConsentStateRow.__table__
_FIELDS = ("handle", "purpose", "state", "kind", "effective_at", "received_at", "valid_until", "notice", "evidence")


@dataclass(frozen=True, slots=True)
class Preview:
    """What publishing would change, and how many people it would ask again; None for whoever may not see exact numbers."""

    changes: tuple[Change, ...]
    people: int | None


@dataclass(frozen=True, slots=True)
class Latency:
    """Seconds from the receipt of a withdrawal to the entry that binds every decision after it, over the latest of them."""

    count: int
    median: float
    p99: float
    longest: float


class Notices:
    """The door. Transactions are handed in; each call commits its own."""

    def __init__(
        self,
        *,
        begin_platform: Begin,
        read_platform: Begin,
        read_vault: Begin,
        keyring: Keyring,
        log: Log,
        clock: Clock,
        zone: str,
        jurisdiction: str,
        categories: Collection[str],
        cool_down: timedelta,
        unknown_age: str,
    ) -> None:
        self._begin_platform, self._read_platform, self._read_vault = begin_platform, read_platform, read_vault
        self._keyring, self._log, self._clock, self._zone = keyring, log, clock, ZoneInfo(zone)
        self._jurisdiction, self._categories = jurisdiction, frozenset(categories)
        self._cool_down, self._unknown_age_barred = cool_down // timedelta(microseconds=1), unknown_age == "exclude"

    # ── the register ─────────────────────────────────────────────────────────────────────────────────────────────────────────

    def register(self, purpose: Purpose, *, actor: str) -> Purpose:
        """Adds a purpose; raises Invalid for a ground that its jurisdiction does not know."""
        with self._begin_platform() as tx:
            made = registry.add_purpose(tx, purpose, self._clock())
            self._log(tx, LogKind.CONFIG, REGISTER, actor=actor, facts={"purpose": made.key})
        return made

    def publish(self, draft: Draft, *, actor: str) -> str:
        """Publishes a notice; its hash. The same words again are the same notice; a version names one text for ever."""
        with self._begin_platform() as tx:
            registered, before = registry.purposes(tx), registry.notices(tx)
            checked = self._checked(draft, registered)
            content = checked.content()
            texts = wording.rendered(content, {key: one.name for key, one in registered.items()})
            made = registry.publish_notice(tx, checked.version, texts, list(checked.uses), self._clock(), content)
            if all(one.id != made for one in before):
                changes = wording.material(before, checked)
                facts = {"notice": made, "purposes": sorted(checked.uses), "changes": len(changes)}
                self._log(tx, LogKind.CONFIG, PUBLISH, actor=actor, facts=facts)
        return made

    def preview(self, draft: Draft, *, actor: str, exact: bool) -> Preview:
        """What publishing the draft would change. Nothing is stored; the count is an entry, written before anybody is counted."""
        with self._read_platform() as tx:
            registered, before = registry.purposes(tx), registry.notices(tx)
        checked = self._checked(draft, registered)
        changes = wording.material(before, checked)
        touched = sorted({one.purpose for one in changes})
        if not exact:
            return Preview(changes, None)
        if not touched:
            return Preview(changes, 0)
        now = self._clock()
        new = Notice("", checked.version, {}, list(checked.uses), now, checked.content())
        written = {key: one.written for key, one in registered.items()}
        return Preview(changes, self._to_be_asked(scope.scopes([*before, new], written), touched, actor=actor))

    def to_be_asked(self, *, actor: str) -> dict[str, int]:
        """Purpose → how many people allow it by acts that do not reach what its newest notice needs; only purposes where that can be."""
        scopes = self._scopes()
        open_ = sorted(key for key, one in scopes.items() if not one.plain)
        return {key: self._to_be_asked(scopes, [key], actor=actor) for key in open_}

    def _checked(self, draft: Draft, registered: Mapping[str, Purpose]) -> Draft:
        return wording.check(draft, registered, jurisdiction=self._jurisdiction, categories=self._categories)

    def _scopes(self) -> dict[str, scope.Scope]:
        with self._read_platform() as tx:
            return scope.scopes(registry.notices(tx), {key: one.written for key, one in registry.purposes(tx).items()})

    def _to_be_asked(self, scopes: Mapping[str, scope.Scope], purposes: Sequence[str], *, actor: str) -> int:
        """How many people, each once, whoever they turned out to be."""
        now = to_micros(self._clock())
        with self._begin_platform() as tx:
            self._log(tx, LogKind.READ, PREVIEW, actor=actor, facts={"purposes": list(purposes)})
        with self._read_vault() as tx:
            merges = vault.merged_into(tx)
        head_of = dict(merges)
        known = families.families(merges)
        cipher = self._keyring.block_cipher(pseudonyms.CONSENT_HANDLE)
        inverse = self._keyring.inverse_block_cipher(pseudonyms.CONSENT_HANDLE)
        heads = {cipher(person): cipher(head) for person, head in head_of.items()} | {cipher(head): cipher(head) for head in known}
        found: set[bytes] = set()
        with self._read_platform() as tx:
            for purpose in purposes:
                merged: dict[bytes, list[list[dict[str, Any]]]] = defaultdict(list)
                for handle, rows in _by_person(tx, purpose):
                    if handle in heads:
                        merged[heads[handle]].append(rows)
                    elif scope.needs_asking([rows], scopes[purpose], now):
                        found.add(handle)
                found.update(head for head, histories in merged.items() if scope.needs_asking(histories, scopes[purpose], now))
        with self._read_vault() as tx:
            return len(vault.known(tx, _blocks(inverse(b"".join(found))))) if found else 0

    # ── reading notices ──────────────────────────────────────────────────────────────────────────────────────────────────────

    def editions(self) -> list[tuple[Notice, bool]]:
        """Every notice, oldest first, and whether somebody changed it in place."""
        with self._read_platform() as tx:
            names = {key: one.name for key, one in registry.purposes(tx).items()}
            return [(one, wording.altered(one, names)) for one in registry.notices(tx)]

    def edition(self, identity: str) -> tuple[Notice, bool, Notice | None, tuple[Change, ...]]:
        """A notice, whether it was changed in place, the one before it about its purposes, and what it changed materially."""
        all_ = self.editions()
        place = next((place for place, (one, _) in enumerate(all_) if identity in (one.id, one.version)), None)
        if place is None:
            raise NotFound("no notice has this hash or version", code="notice_unknown", field="notice")
        one, altered = all_[place]
        before = [each for each, _ in all_[:place]]
        previous = next((each for each in reversed(before) if set(each.purposes) & set(one.purposes)), None)
        return one, altered, previous, wording.material(before, _draft_of(one)) if one.content else ()

    # ── what ends, and how fast a no holds ───────────────────────────────────────────────────────────────────────────────────

    def ending(self, days: int, *, actor: str) -> tuple[int, list[dict[str, Any]]]:
        """How many consents end within so many days, and the first of them: {"subject", "purpose", "expires"}."""
        now = to_micros(self._clock())
        soon = (_STATE.c.expires > now) & (_STATE.c.expires <= now + days * asked.DAY) & _STATE.c.allowed
        with self._begin_platform() as tx:
            self._log(tx, LogKind.READ, ENDING, actor=actor, facts={"days": days})
        with self._read_platform() as tx:
            total = int(tx.scalar(sa.select(sa.func.count()).where(soon).select_from(_STATE)) or 0)
            rows = tx.execute(sa.select(_STATE).where(soon).order_by(_STATE.c.expires, _STATE.c.handle).limit(LISTED)).all()
        people = self._keyring.inverse_block_cipher(pseudonyms.CONSENT_HANDLE)(b"".join(bytes(row.handle) for row in rows)) if rows else b""
        cipher = self._keyring.block_cipher(pseudonyms.OFFICER_REFERENCE)
        references = pseudonyms.officer_references(people, cipher) if rows else []
        listed = [
            {"subject": who, "purpose": row.purpose, "expires": from_micros(row.expires)} for who, row in zip(references, rows, strict=True)
        ]
        return total, listed

    def latency(self) -> Latency | None:
        """How long the latest withdrawals took; None where there was none yet."""
        no = sa.and_(_EVENT.c.state != ConsentState.GRANTED.value, _EVENT.c.kind == "explicit", _EVENT.c.entry.is_not(None))
        query = (
            sa.select(LogEntry.at, _EVENT.c.received_at)
            .join_from(_EVENT, LogEntry, LogEntry.seq == _EVENT.c.entry)
            .where(no)
            .order_by(_EVENT.c.seq.desc())
            .limit(LATEST)
        )
        with self._read_platform() as tx:
            spent = sorted(max(to_micros(at) - received, 0) / 1_000_000 for at, received in tx.execute(query))
        if not spent:
            return None
        return Latency(len(spent), spent[len(spent) // 2], spent[min(len(spent) - 1, len(spent) * 99 // 100)], spent[-1])

    # ── decisions ────────────────────────────────────────────────────────────────────────────────────────────────────────────

    def decide(self, items: Sequence[Mapping[str, Any]], *, actor: str, namespace: str = "") -> list[dict[str, Any]]:
        """For each item `{identifier, purpose, category?, method?}` whether it stands now, and whether the person may be asked.

        Raises Refused for a purpose that is not registered: a question about it has no answer.
        """
        if not 0 < len(items) <= MOST:
            raise Invalid("a request has between one and a hundred items", code="too_many_items")
        normal = [_identifier(item, namespace) for item in items]
        with self._read_platform() as tx:
            registered, notices = registry.purposes(tx), registry.notices(tx)
        uses = [asked.Use(str(item.get("purpose")), item.get("category"), item.get("method")) for item in items]
        if any(use.purpose not in registered for use in uses):
            raise Refused("this purpose is not registered", code="purpose_unknown", field="purpose")
        scopes = scope.scopes(notices, {key: one.written for key, one in registered.items()})
        with self._begin_platform() as tx:
            facts = {"purposes": sorted({use.purpose for use in uses}), "count": len(items)}
            self._log(tx, LogKind.READ, DECIDE, actor=actor, facts=facts)
        people = self._people(normal)
        now = self._clock()
        told = []
        with self._read_platform() as tx:
            raised = flags.among(tx, [handle for handles, _ in people for handle in handles])
            for index, (use, (handles, born)) in enumerate(zip(uses, people, strict=True)):
                verdict = asked.answer(
                    use,
                    registered[use.purpose],
                    [ledger.history(tx, handle) for handle in handles],
                    scopes[use.purpose],
                    now=to_micros(now),
                    jurisdiction=self._jurisdiction,
                    years=None if born is None else vault.age(born, now.astimezone(self._zone).date()),
                    unknown_age_barred=self._unknown_age_barred,
                    cool_down=self._cool_down,
                    flags={one for handle in handles for one in raised.get(handle, ())} & flags.against(use.purpose),
                )
                told.append(_told(index, use, verdict, scopes[use.purpose]))
        return told

    def _people(self, normal: Sequence[tuple[str, str]]) -> list[tuple[list[bytes], date | None]]:
        """Handles and birth date of each identifier's person; nothing of nobody."""
        cipher = self._keyring.block_cipher(pseudonyms.CONSENT_HANDLE)
        found: list[tuple[list[bytes], date | None]] = []
        with self._read_vault() as tx:
            for kind, value in normal:
                person = vault.lookup(tx, self._keyring, kind, value)
                family = merging.family_of(tx, person) if person else []
                born = resolution.births(tx, self._keyring, [member.no for member in family]) if family else {}
                found.append(([cipher(member.id) for member in family], max(born.values(), default=None)))
        return found


def _told(index: int, use: asked.Use, verdict: asked.Answer, covered: scope.Scope) -> dict[str, Any]:
    return {
        "index": index,
        "purpose": use.purpose,
        "allowed": verdict.allowed,
        "reason": verdict.reason,
        "ground": verdict.ground,
        "notice": covered.editions[-1].notice if covered.editions else None,
        "ask": verdict.ask,
        "do_not_ask_until": None if verdict.not_before is None else from_micros(verdict.not_before).isoformat(),
    }


def _identifier(item: Mapping[str, Any], namespace: str) -> tuple[str, str]:
    one = item.get("identifier") or {}
    kind = str(one.get("type"))
    if kind not in {each.value for each in IdentifierType}:
        raise Invalid("an item names its person by one identifier", code="identifier_missing", field="identifier")
    (normal,) = normalise.normalise(kind, pa.array([str(one.get("value"))]), namespace=namespace)[0].to_pylist()
    if normal is None:
        raise Invalid("this is no identifier of its type", code="bad_identifier", field="identifier")
    return kind, normal


def _by_person(tx: sa.Connection, purpose: str) -> Iterator[tuple[bytes, list[dict[str, Any]]]]:
    """The acts about one purpose, person by person."""
    columns = [_EVENT.c[name] for name in _FIELDS]
    rows = tx.execute(sa.select(*columns).where(_EVENT.c.purpose == purpose).order_by(_EVENT.c.handle))
    for handle, some in groupby(rows, key=lambda row: bytes(row.handle)):
        yield handle, [dict(row._mapping) for row in some]


def _draft_of(notice: Notice) -> Draft:
    return Draft(notice.version, {}, wording.uses_of(notice), wording.anew(notice))


def _blocks(joined: bytes) -> list[bytes]:
    return [joined[start : start + ID] for start in range(0, len(joined), ID)]
