"""Erasure, wired: its door, the lake's part, the small stores that belong to other doors."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import sqlalchemy as sa

from app import imports, journal, restored
from app.wiring.contents import Contents
from app.wiring.lake import Lake
from privacy.dictionary import catalogue
from privacy.errors import Locked

if TYPE_CHECKING:
    from analytics.lake.erasure import LakeErasure
    from privacy.records import Gone
    from privacy.rights.erasure import Erasures
    from privacy.rights.lapse import Lapses


class Erasing(Lake, Contents):
    """What erasures and lapses need."""

    @cached_property
    def erasures(self) -> Erasures:
        from privacy.rights.erasure import Erasures

        return Erasures(
            begin_vault=self.stores.begin_vault,
            read_vault=self.stores.read_vault,
            begin_intake=self.begin_intake,
            begin_console=self.begin_console,
            begin_jobs=self.begin_jobs,
            read_platform=self.read_console,
            keyring=self.open_keyring(),
            log=self.log,
            clock=self.clock,
            random=secrets.token_bytes,
        )

    @cached_property
    def lapses(self) -> Lapses:
        from privacy.rights.lapse import Lapses

        return Lapses(
            begin_platform=self.begin_jobs,
            read_platform=self.read_console,
            read_vault=self.stores.read_vault,
            keyring=self.open_keyring(),
            log=self.log,
            clock=self.clock,
        )

    @cached_property
    def lake_erasure(self) -> LakeErasure:
        from analytics.lake.erasure import LakeErasure

        return LakeErasure(self._lake, catalogue.load(), secrets.token_bytes)

    def cases_about(self, people: Sequence[bytes]) -> list[str]:
        """The open cases of officers about these people."""
        from privacy.identity import pseudonyms
        from privacy.oversight import casebook

        wanted, ring = set(people), self.open_keyring()
        with self.read_intake() as tx:
            open_ = casebook.every(tx)
        return [case for case, subject in open_ if ring.inverse_block_cipher(pseudonyms.CONSOLE_HANDLE, case)(subject) in wanted]

    def evidence_held(self) -> dict[str, int]:
        """How many acts of consent and marks of erased identifiers there are."""
        from privacy.consent.ledger import ConsentEventRow
        from privacy.identity.vault import Tombstone

        with self.read_console() as tx:
            acts = int(tx.execute(sa.select(sa.func.count()).select_from(ConsentEventRow)).scalar_one())
        with self.stores.read_vault() as tx:
            marks = int(tx.execute(sa.select(sa.func.count()).select_from(Tombstone)).scalar_one())
        return {"consent_event": acts, "tombstone": marks}

    def end_cases_of(self, cases: Sequence[str]) -> int:
        """Ends cases."""
        from privacy.oversight import casebook

        with self.begin_intake() as tx:
            return casebook.forget(tx, cases)

    def needle(self, identifiers: Sequence[tuple[str, str]]) -> Callable[[bytes], bool]:
        """Whether one of these identifiers stands in a piece of a file, as it was written or in capitals; kept for one search."""
        from privacy.identity import boxsearch

        return boxsearch.in_bytes(boxsearch.needles(identifiers))

    def pieces(self, facts: imports.Facts) -> Iterator[bytes]:
        """An upload's plain content, unpacked, in pieces that overlap."""
        from ingestion.sources import files

        content = self.content(facts)
        with content.open() as raw:
            stream: IO[bytes] = files.inflated(content.name, raw)
            before = b""
            while block := stream.read(1 << 20):
                yield before + block
                before = block[-200:]

    # ── what this machine remembers ──────────────────────────────────────────────────────────────────────────────────────────

    def remembered_erasures(self) -> journal.Journal:
        """What this machine remembers of erasures."""
        return journal.read(journal.place(self.settings.keys_path))

    def forgotten(self) -> list[Gone]:
        """Erasures that this machine remembers and one of the stores does not: an older copy was put in its place."""
        known = self.erasures.everywhere()
        return [one for one in self.remembered_erasures().erasures.values() if one.erasure not in known]

    def check_erased(self) -> str:
        """Raises Locked where a store is older than what this machine remembers of erasures: nobody is served before they are repeated."""
        if restored.waits(self.settings.home):
            raise Locked(
                "a backup was restored and its erasures were not repeated yet: run `piying restore --replay`", code="restore_unfinished"
            )
        if missing := self.forgotten():
            raise Locked(
                f"a store is older than {len(missing)} erasure(s) that this machine remembers: run `piying restore --replay`",
                code="erasures_behind",
            )
        added = journal.keep(self.settings.keys_path, self.erasures.everyone())
        return f"every erasure that this machine remembers stands in the stores ({added} added)"

    # ── copies of everything ─────────────────────────────────────────────────────────────────────────────────────────────────

    def save_lake(self, folder: Path) -> dict[str, Any]:
        """Copies the lake's files into a folder; the caller holds the lease."""
        from analytics.lake import archive

        return archive.save(self._lake, catalogue.load(), folder)

    def load_lake(self, folder: Path, told: Mapping[str, Any]) -> dict[str, str]:
        """Fills an empty lake from a folder; where each file lies now."""
        from analytics.lake import archive

        return archive.put_back(self._lake, catalogue.load(), folder, told)

    def lake_months(self) -> dict[str, tuple[int, ...]]:
        """The months that each table about people holds."""
        return {name: self.reader.months_held(name) for name, table in catalogue.load().tables.items() if table.people}

    def deployment(self) -> str:
        """Which deployment this is, as its keys say."""
        return self.open_keyring().deployment
