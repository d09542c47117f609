"""The desk of incidents: what happened, who has to be told by when, and who was affected.

Promise: every step is a version of the incident's paper and an entry of the log. "Who was affected" answers with counts; the entry that somebody asks
is committed before anything is read; a list of identifiers is looked up in memory and stored nowhere, not even as a digest.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import pyarrow as pa

from privacy.accountability import dossiers, incidents
from privacy.accountability.dossiers import Dossier
from privacy.accountability.fields import shaped
from privacy.audit import touched
from privacy.errors import Invalid
from privacy.identity import affected
from privacy.identity.keys import Keyring
from privacy.identity.normalise import normalise
from privacy.orm import Begin
from privacy.oversight.papers import Also, Papers, nothing_more
from privacy.vocabulary import IdentifierType, LogKind

MOST_LINES = 1_000_000
"""Lines of one list; a larger export is looked up in parts."""
_HASH = re.compile(r"[0-9a-fA-F]{64}")
PLAIN, HASHED = "identifiers", "hashes"


class Incidents(Papers):
    """Incidents with their clocks."""

    kind = "incident"

    def __init__(self, *, keyring: Keyring, read_vault: Begin, **shared: Any) -> None:
        super().__init__(**shared)
        self._keyring = keyring
        self._read_vault = read_vault

    def add(self, given: Mapping[str, Any], *, actor: str, also: Also = nothing_more) -> dict[str, Any]:
        """Opens an incident; its clocks run from the discovery."""
        content = shaped(incidents.FIELDS, given) | {"state": incidents.OPEN, "notified": {}, "affected": [], "reason": ""}
        self._check_times(content)
        with self._begin() as tx:
            made = self._new(tx, content, actor=actor, level=content["level"])
            also(tx, self._told(made))
        return self._told(made)

    def change(self, id_: str, given: Mapping[str, Any], *, seen: int | None, actor: str) -> dict[str, Any]:
        """Changes what is given; clocks follow what the paper says now."""
        with self._begin() as tx:
            before = dossiers.one(tx, self.kind, id_).content
            content = dict(before) | shaped(incidents.FIELDS, given, before)
            self._check_times(content)
            return self._told(self._next(tx, id_, content, seen=seen, actor=actor))

    def notify(self, id_: str, clock: str, at: datetime, *, seen: int | None, actor: str) -> dict[str, Any]:
        """Writes down that somebody was told, which stops a clock."""
        with self._begin() as tx:
            before = dossiers.one(tx, self.kind, id_).content
            incidents.check_notified(before, clock, at, self._clock())
            content = {**before, "notified": {**before["notified"], clock: at.isoformat()}}
            return self._told(self._next(tx, id_, content, seen=seen, actor=actor, act="notify", clock=clock))

    def move(self, id_: str, state: str, *, reason: str, seen: int | None, actor: str) -> dict[str, Any]:
        """Contained, or closed: closing with a clock that nobody answered needs the reason."""
        if state not in incidents.STATES:
            raise Invalid("a state is one of: " + ", ".join(incidents.STATES), code="dossier_invalid", field="state")
        with self._begin() as tx:
            before = dossiers.one(tx, self.kind, id_).content
            incidents.check_state(before, state, reason)
            content = {**before, "state": state, "reason": reason.strip()[:2_000]}
            return self._told(self._next(tx, id_, content, seen=seen, actor=actor, act="state", state=state))

    def letter(self, id_: str, controller: str, contact: str, language: str) -> str:
        """The notice to the people concerned."""
        with self._read() as tx:
            return incidents.letter(dossiers.one(tx, self.kind, id_).content, controller, contact, language)

    # ── who was affected ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def by_list(self, id_: str, type_: str, lines: Sequence[str], *, actor: str, namespace: str = "") -> dict[str, Any]:
        """{"lines", "unreadable", "people", "of"} of a list of identifiers, or of the SHA-256 hashes of an export; one a line."""
        if type_ not in set(IdentifierType):
            raise Invalid("no such type of identifier", code="identifier_type", field="type")
        wanted = [line.strip() for line in lines if line.strip()]
        if not wanted or len(wanted) > MOST_LINES:
            raise Invalid("a list has from one to a million lines", code="affected_list", field="list")
        hashes = all(_HASH.fullmatch(line) for line in wanted)
        self._ask(id_, HASHED if hashes else PLAIN, actor, type=type_, lines=len(wanted))
        with self._read_vault() as tx:
            if hashes:
                people = affected.people_of_hashes(tx, self._keyring, type_, {bytes.fromhex(line) for line in wanted})
                unreadable = 0
            else:
                normal, _ = normalise(type_, pa.array(wanted, pa.string()), namespace=namespace)
                known = [value for value in normal.to_pylist() if value is not None]
                unreadable = len(wanted) - len(known)
                people = affected.people_of(tx, self._keyring, type_, list(dict.fromkeys(known)))
            everybody = affected.everybody(tx)
        counts = {"lines": len(wanted), "unreadable": unreadable, "people": len(people), "of": everybody}
        return self._keep(id_, HASHED if hashes else PLAIN, {"type": type_}, counts, actor)

    def by_type(self, id_: str, type_: str, *, actor: str) -> dict[str, Any]:
        """{"people", "of"}: how many people hold an identifier of a type, for a column that was exposed."""
        if type_ not in set(IdentifierType):
            raise Invalid("no such type of identifier", code="identifier_type", field="type")
        self._ask(id_, "column", actor, type=type_)
        with self._read_vault() as tx:
            counts = {"people": affected.holders(tx).get(type_, 0), "of": affected.everybody(tx)}
        return self._keep(id_, "column", {"type": type_}, counts, actor)

    def by_field(self, id_: str, record: str, field: str, counts: Mapping[str, int], *, actor: str) -> dict[str, Any]:
        """Keeps what the books of quality say of a field of the dictionary: rows that carried it, by source."""
        self._ask(id_, "column", actor, record=record, field=field)
        return self._keep(id_, "column", {"record": record, "field": field}, counts, actor)

    def by_time(self, id_: str, since: datetime, until: datetime, *, actor: str) -> dict[str, Any]:
        """Acts of a stretch of time by name, and how many people they name; entries whose payload was erased name nobody any more."""
        if not since < until:
            raise Invalid("a stretch of time ends after it begins", code="dossier_invalid", field="until")
        self._ask(id_, "time", actor, since=since, until=until)
        with self._read() as tx:
            seen = touched.between(tx, since, until, kinds=(LogKind.READ.value, LogKind.EXPORT.value))
        counts = {"people": seen.people, "actors": seen.actors, "erased": seen.erased}
        counts |= {f"acts {name}": number for (_, name), number in sorted(seen.acts.items())}
        return self._keep(id_, "time", {"since": since.isoformat(), "until": until.isoformat()}, counts, actor)

    def _ask(self, id_: str, by: str, actor: str, **facts: Any) -> None:
        """Commits the entry before anything is read."""
        with self._begin() as tx:
            dossiers.one(tx, self.kind, id_)
            self._log(tx, LogKind.READ, "incident.affected", actor=actor, facts={"incident": id_, "by": by, **facts})

    def _keep(self, id_: str, by: str, asked: Mapping[str, Any], counts: Mapping[str, int], actor: str) -> dict[str, Any]:
        found = {"by": by, "asked": dict(asked), "counts": dict(counts), "at": self._clock().isoformat(), "actor": actor}
        with self._begin() as tx:
            before = dossiers.one(tx, self.kind, id_).content
            content = {**before, "affected": [*before["affected"], found]}
            self._next(tx, id_, content, seen=None, actor=actor, act="counted", by=by)
        return found

    def _check_times(self, content: Mapping[str, Any]) -> None:
        if datetime.fromisoformat(content["discovered_at"]) > self._clock():
            raise Invalid("a discovery lies behind", code="dossier_invalid", field="discovered_at")
        if content["began_at"] and content["ended_at"] and content["ended_at"] < content["began_at"]:
            raise Invalid("an incident ends after it begins", code="dossier_invalid", field="ended_at")

    def _told(self, one: Dossier) -> dict[str, Any]:
        clocks = [
            {
                "clock": clock.clock,
                "whom": clock.whom,
                "law": clock.law,
                "due": clock.due.isoformat(),
                "done_at": clock.done_at.isoformat() if clock.done_at else None,
                "state": clock.state,
            }
            for clock in incidents.deadlines(one.content, self._clock())
        ]
        return one.document() | {"clocks": clocks}
