"""What the desks of accountability share: their papers as officers read them, and one transaction with its entry for every act.

Promise: nothing is written without its entry in the access log, in the same transaction. Papers speak of companies, purposes and counts, so reading
them is no reading of people and has no entry. Must never learn a person.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, tzinfo
from typing import Any

import sqlalchemy as sa

from privacy.accountability import dossiers
from privacy.accountability.dossiers import Dossier
from privacy.orm import Begin
from privacy.records import Clock, Log, RandomBytes
from privacy.vocabulary import LogKind

Also = Callable[[sa.Connection, Mapping[str, Any]], None]
"""What a caller adds to an act's transaction; told what the act made."""


def nothing_more(_tx: sa.Connection, _made: Mapping[str, Any]) -> None:
    """What most acts need beside themselves."""


class Papers:
    """Papers of one kind. `jurisdiction` says what is abroad."""

    kind = ""

    def __init__(
        self,
        *,
        begin_platform: Begin,
        read_platform: Begin,
        log: Log,
        clock: Clock,
        random: RandomBytes,
        zone: tzinfo,
        jurisdiction: str,
    ) -> None:
        self._begin = begin_platform
        self._read = read_platform
        self._log = log
        self._clock = clock
        self._random = random
        self._zone = zone
        self._jurisdiction = jurisdiction

    def today(self) -> date:
        """The day in the controller's zone."""
        return self._clock().astimezone(self._zone).date()

    def listing(self) -> list[dict[str, Any]]:
        """Every paper as it stands, in the order in which they were opened."""
        with self._read() as tx:
            return [self._told(one) for one in dossiers.listing(tx, self.kind)]

    def one(self, id_: str) -> dict[str, Any]:
        """A paper as it stands; raises NotFound."""
        with self._read() as tx:
            return self._told(dossiers.one(tx, self.kind, id_))

    def history(self, id_: str) -> list[dict[str, Any]]:
        """Every version of a paper, oldest first, with the names of the fields that it changed."""
        with self._read() as tx:
            found = dossiers.history(tx, self.kind, id_)
        before: Mapping[str, Any] = {}
        told = []
        for one in found:
            changed = sorted(name for name in {*before, *one.content} if before.get(name) != one.content.get(name))
            told.append({"version": one.version, "by": one.by, "at": one.at.isoformat(), "changed": changed if before else []})
            before = one.content
        return told

    def _told(self, one: Dossier) -> dict[str, Any]:
        return one.document()

    def _new(self, tx: sa.Connection, content: Mapping[str, Any], *, actor: str, **facts: Any) -> Dossier:
        return self._write(tx, dossiers.new_id(self.kind, self._random), 1, content, "add", actor, facts)

    def _next(
        self, tx: sa.Connection, id_: str, content: Mapping[str, Any], *, seen: int | None, actor: str, act: str = "change", **facts: Any
    ) -> Dossier:
        newest = dossiers.one(tx, self.kind, id_)
        dossiers.check_seen(newest, seen)
        return self._write(tx, id_, newest.version + 1, content, act, actor, facts)

    def _write(
        self, tx: sa.Connection, id_: str, version: int, content: Mapping[str, Any], act: str, actor: str, facts: Mapping[str, Any]
    ) -> Dossier:
        said = {self.kind: id_, "version": version, **facts}
        entry = self._log(tx, LogKind.CONFIG, f"{self.kind}.{act}", actor=actor, facts=said)
        return dossiers.write(tx, Dossier(self.kind, id_, version, dict(content), actor, self._clock(), entry))
