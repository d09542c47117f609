"""Makes a list inside the transaction that releases it: decides about everybody, reads the values, fills, seals, signs.

Promise: who leaves was decided in the transaction that was handed in, after its log entry, which on both databases keeps every later act of a
person outside until it commits: a withdrawal that was acknowledged is seen here, and one that is not seen here is acknowledged after the
release. What cannot be made raises, and nothing was released. Must never let a clear value out of the envelope.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import sqlalchemy as sa

from privacy.accountability import crossborder, transfers
from privacy.errors import Refused
from privacy.export import content, controlrows, law, manifest, people
from privacy.export.apart import Given, Order, again, first
from privacy.export.content import Content, Said
from privacy.export.decide import ORDER, Decisions, Exclusion, decide
from privacy.export.files import Shelf
from privacy.export.law import Terms
from privacy.export.people import Group
from privacy.export.requests import Export
from privacy.identity import contacts, envelope, pseudonyms
from privacy.identity.forms.shape import Choice
from privacy.identity.keys import Keyring
from privacy.orm import Begin
from privacy.records import RandomBytes, SealedExport

SENSITIVE: Final = "sensitive"
"""The class of columns that classes of a pseudonymous table have to leave open."""
POLICY: Final = "gate-1"
"""Name of the rules of `decide` and `law`; it stands on every manifest and changes when they do."""


@dataclass(frozen=True, slots=True)
class Rules:
    """What a deployment decided about lists."""

    jurisdiction: str = "CN"
    unknown_age: str = "signal"
    cap: int | None = 4
    """Lists of one channel in which a person may leave within the window; None for no cap."""
    window: timedelta = timedelta(days=7)
    minimum: int = 50
    controller: str = ""
    contact: str = ""
    opt_out: str = ""


@dataclass(frozen=True, slots=True)
class Judged:
    """A decision about everybody of an audience, in one transaction."""

    crowd: Group = field(repr=False)
    decisions: Decisions = field(repr=False)
    handles: tuple[bytes, ...] = field(repr=False)
    youth_signal: bool

    @property
    def leaving(self) -> Group:
        """Who may leave."""
        return self.crowd.only(self.decisions.allowed)

    @property
    def leaving_handles(self) -> list[bytes]:
        """Their consent handles."""
        return [one for one, stays in zip(self.handles, self.decisions.allowed.tolist(), strict=True) if stays]

    def beside(self, given: Sequence[Given], newest: Given | None, rows: int, minimum: int, order: Order) -> Judged:
        """Of the people of an audience's first `rows` and others, whom the list may hold beside what the recipient was given (attack 19)."""
        wanted = self.wanted(rows)
        kept = again(wanted, newest, given, minimum) if newest is not None else first(wanted, given, minimum, order)
        stays = np.fromiter((one in kept for one in self.handles), bool, len(self.handles))
        reasons = self.decisions.reasons.copy()
        reasons[(reasons < 0) & ~stays] = ORDER.index(Exclusion.APART)
        shown = (self.crowd.rows < rows) | stays
        handles = tuple(one for one, seen in zip(self.handles, shown.tolist(), strict=True) if seen)
        return Judged(self.crowd.only(shown, self.crowd.unknown), Decisions(reasons[shown]), handles, self.youth_signal)

    def without(self, formless: Collection[bytes]) -> Judged:
        """Without people for whom the form has no row."""
        reasons = self.decisions.reasons.copy()
        reasons[(reasons < 0) & np.fromiter((one in formless for one in self.handles), bool, len(self.handles))] = ORDER.index(
            Exclusion.FORMLESS
        )
        return replace(self, decisions=Decisions(reasons))

    def wanted(self, rows: int) -> set[bytes]:
        """The handles of who may leave among the people of an audience's first `rows`."""
        inside = (self.decisions.allowed & (self.crowd.rows < rows)).tolist()
        return {one for one, is_ in zip(self.handles, inside, strict=True) if is_}

    def exclusions(self) -> dict[str, int]:
        """How many are kept back under each reason; the unknown are rows that lead to nobody."""
        counts = self.decisions.counts()
        return counts | ({"unknown_person": self.crowd.unknown} if self.crowd.unknown else {})


@dataclass(frozen=True, slots=True)
class Released:
    """A list that was made: what is registered, what is told to the officer, whose rows they are."""

    sealed: SealedExport
    officers: dict[str, Any]
    content: Content = field(repr=False)
    handles: tuple[bytes, ...] = field(repr=False)


def judge(
    tx: sa.Connection, keyring: Keyring, crowd: Group, export: Export, terms: Terms, rules: Rules, youth_signal: bool,
    *, now: datetime, removing: Collection[bytes], capped: bool = True,
) -> Judged:  # fmt: skip
    """The decision about everybody, as this transaction sees them."""
    found, handles = people.facts(
        tx, keyring, crowd, terms.needs, now=now, channel=export.channel, window=rules.window, removing=removing
    )  # fmt: skip
    signal = rules.unknown_age == "signal" and youth_signal
    decisions = decide(
        found,
        bars_ageless=rules.unknown_age == "exclude" or signal,
        cap=rules.cap if capped and export.channel else None,
    )
    return Judged(crowd, decisions, tuple(handles), youth_signal)


class Maker:
    """Makes lists with the keys and stores of one deployment."""

    def __init__(
        self, *, keyring: Keyring, read_vault: Begin, shelf: Shelf, random: RandomBytes, rules: Rules, columns: Mapping[str, str],
        zone: ZoneInfo,
    ) -> None:  # fmt: skip
        self._keyring, self._read_vault, self._shelf, self._random, self._rules = keyring, read_vault, shelf, random, rules
        self._columns, self._zone = columns, zone
        self._read_before: tuple[Sequence[bytes], Mapping[str, pa.StringArray]] | None = None

    def make(
        self, tx: sa.Connection, export: Export, terms: Terms, judged: Judged, made: Content, *, revision: int, entry: int, now: datetime
    ) -> Released:
        """The sealed and signed list of a content; raises Refused for an empty one."""
        leaving = judged.leaving
        if not any(made.people):
            raise Refused("nobody may leave", code="export_empty", field="segment")
        counts = self._abroad(tx, terms, [one for one in made.people if one], now)
        name = f"{export.id}-{revision}"
        about = {"export": export.id, "revision": revision, "form": export.form, "rows": made.table.num_rows}
        digest, size = self._shelf.put(name, envelope.seal(made.pieces(), terms.public_key, about, random=self._random))
        own = dict(zip(leaving.people, judged.leaving_handles, strict=True))
        handles = tuple(own[person] for person in made.people if person)
        officers = {
            "people": len(handles),
            "exclusions": judged.exclusions(),
            "refused_values": dict(made.refused),
            "controls": made.controls,
            "controls_missed": made.missed,
            "risk": made.risk,
            "log_entry": entry,
            "youth_signal": judged.youth_signal,
            "inferred": [one.removeprefix("sensitive.") for one in terms.needs.sensitive],
            "abroad_this_year": counts,
            "epoch": self._keyring.versions("recipient")[-1] if export.form == law.PSEUDONYMOUS else None,
            "salt": self._random(16).hex(),
        }
        told = self._recipients_part(export, terms, made, digest, size, revision, now)
        part, signature = manifest.made(told, officers, self._keyring.signer())
        sealed = SealedExport(
            export.id, revision, export.recipient, name, digest, size, made.table.num_rows, part, signature, export.expires_at
        )
        return Released(sealed, officers, made, handles)

    def _recipients_part(
        self, export: Export, terms: Terms, made: Content, digest: bytes, size: int, revision: int, now: datetime
    ) -> dict[str, Any]:
        kind = "attribute" if export.form == law.PSEUDONYMOUS else "direct_identifier"
        return {
            "export": export.id,
            "revision": revision,
            "recipient": terms.key,
            "purpose": export.purpose,
            "use": export.use,
            "ground": export.ground,
            "channel": export.channel,
            "consents": terms.needs.all(),
            "form": export.form,
            "asked_by": export.asked_by,
            "approved_by": export.decided_by,
            "columns": [{"name": one, "class": kind} for one in export.fields],
            "headers": made.table.column_names,
            "rows": made.table.num_rows,
            "sha256": digest.hex(),
            "size": size,
            "key": envelope.key_id(terms.public_key),
            "signing_key": self._keyring.versions("signing")[-1],
            "made_at": now.isoformat(),
            "expires_at": export.expires_at.isoformat(),
            "policy": POLICY,
            "level": made.risk["level"] if made.risk else 1,
        }

    def content(self, tx: sa.Connection, export: Export, terms: Terms, leaving: Group, columns: Said | None, now: datetime) -> Content:
        """What would stand in the list of these people; raises Refused for nobody."""
        if not leaving.people:
            raise Refused("nobody may leave", code="export_empty", field="segment")
        if terms.form is None:
            if columns is None:
                raise Refused("a pseudonymous table needs columns", code="export_fields", field="fields")
            epoch = self._keyring.versions("recipient")[-1]
            key = self._keyring.mac_key(pseudonyms.RECIPIENT, terms.key, export.purpose, str(epoch), version=epoch)
            rows = columns.table.take(pa.array(leaving.rows))
            hidden = [one for one in rows.column_names if self._columns.get(one) == SENSITIVE]
            return content.pseudonymous(key, leaving.people, rows, export.fields, hidden, columns.told)
        type_, values = export.fields[0], self._addresses(leaving, export.fields)
        with self._read_vault() as vault:
            known = contacts.known(vault, self._keyring, type_, controlrows.single(tx, type_))
        plan = controlrows.choose(tx, self._keyring, type_, export.recipient, len(leaving.people), now=now, known=known)
        rules = self._rules
        sender = dict(zip(("sender", "sender_contact", "opt_out"), (rules.controller, rules.contact, rules.opt_out), strict=True))
        return content.addressed(terms.form, values, leaving.people, Choice(constants=sender), plan, type_)

    def _addresses(self, leaving: Group, types: Sequence[str]) -> Mapping[str, pa.StringArray]:
        """The newest address of each; read once, also where a list is made again without some."""
        if self._read_before is not None:
            places = {person: number for number, person in enumerate(self._read_before[0])}
            if all(person in places for person in leaving.people):
                rows = pa.array([places[person] for person in leaving.people], pa.int64())
                return {name: column.take(rows) for name, column in self._read_before[1].items()}
        with self._read_vault() as tx:
            values = contacts.newest(tx, self._keyring, leaving.people, leaving.families, types)
        self._read_before = leaving.people, values
        return values

    def _abroad(self, tx: sa.Connection, terms: Terms, people: Sequence[bytes], now: datetime) -> int | None:
        """Counts distinct people since 1 January of the controller's own year, and refuses what its mechanism does not cover (attack 49)."""
        if not terms.abroad:
            return None
        year = now.astimezone(self._zone).year
        marks = _blocks(self._keyring.block_cipher(pseudonyms.ABROAD)(b"".join(people)))
        sensitive = bool(terms.needs.sensitive)
        verdict = crossborder.crossing(transfers.after(tx, year, marks, sensitive=sensitive), terms.mechanism)
        if not verdict.allowed:
            raise Refused("the year would go over what this recipient's mechanism covers", code=verdict.code, field="recipient")
        return transfers.note(tx, year, marks, sensitive=sensitive, now=now).people


def _blocks(joined: bytes) -> list[bytes]:
    return [joined[start : start + people.ID] for start in range(0, len(joined), people.ID)]
