"""The lake's parts: catalogue, engine, reader, writer, reports; each made when first used."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from app import asking, housekeeping, imports
from app.stores import register_dialect
from app.wiring.doors import Doors
from privacy.dictionary import catalogue
from privacy.errors import NotFound, Unavailable

if TYPE_CHECKING:
    from analytics.audiences import Audiences
    from analytics.engine import Engine
    from analytics.lake.maintenance import LakeMaintenance
    from analytics.lake.reader import LakeReader
    from analytics.lake.subject import SubjectCounts, SubjectTags
    from analytics.lake.writer import LakeWriter
    from analytics.reports.base import House, Options, Reports
    from analytics.reports.cubes import Cubes
    from analytics.reports.shelf import Shelf
    from analytics.segments.compiled import Needs

LEASE = "lake"
LOOK_BACK = 12
"""Months before a closed one that its close may read (decision 0010)."""
SMALL_CHAIN = 20_000
"""Declared members below which a plan's bound may hide 4 % instead of 1 % (dp_rules P-9)."""


class Lake(Doors):
    """What reads and writes the lake."""

    @cached_property
    def _lake(self) -> Any:
        from analytics.lake import tables

        register_dialect()
        catalog = tables.open_catalogue(self.settings.catalogue_url, self.settings.lake_path)
        tables.ensure(catalog, catalogue.load())
        return catalog

    @cached_property
    def writer(self) -> LakeWriter:
        from analytics.lake.writer import LakeWriter

        return LakeWriter(self._lake, catalogue.load(), secrets.token_bytes)

    @cached_property
    def maintenance(self) -> LakeMaintenance:
        from analytics.lake.maintenance import LakeMaintenance

        return LakeMaintenance(self._lake, catalogue.load(), secrets.token_bytes)

    @cached_property
    def _engine(self) -> Engine:
        from analytics.engine import Engine

        limits = self.settings.limits
        return Engine(self.settings.lake_path, self.settings.temp_path, threads=limits.engine_threads, memory=f"{limits.engine_memory}MiB")

    @cached_property
    def reader(self) -> LakeReader:
        from analytics.lake.reader import LakeReader

        return LakeReader(self._lake, catalogue.load(), self._engine, self.preferences.population)

    @cached_property
    def audiences(self) -> Audiences:
        """Makes the audiences of segments."""
        from analytics.audiences import Audiences

        return Audiences(self._reader_for, self.settings.zone)

    def _reader_for(self, needs: Needs) -> LakeReader:
        """The lake without those whom one rule leaves out."""
        from analytics.lake.reader import LakeReader

        opens = partial(self.preferences.population, youth_signal=needs.youth_signal, tags=needs.tags)
        return LakeReader(self._lake, catalogue.load(), self._engine, opens)

    @cached_property
    def subject_counts(self) -> SubjectCounts:
        """Counts what the lake holds of one person, for the door that has logged it."""
        from analytics.lake.subject import SubjectCounts

        return SubjectCounts(self.reader, catalogue.load(), self._engine)

    @cached_property
    def subject_tags(self) -> SubjectTags:
        """Shows a person what the newest closed month says about them, for the door that has logged it."""
        from analytics.lake.subject import SubjectTags

        return SubjectTags(self.reader, self._engine)

    @cached_property
    def reports(self) -> Reports:
        from analytics.reports.base import Reports
        from analytics.reports.kinds import KINDS
        from analytics.reports.norms import StoreMonthNorms

        return Reports(self.reader, self.releases, self.report_house, KINDS, StoreMonthNorms())

    @cached_property
    def report_house(self) -> House:
        """The public facts that reports need."""
        from analytics.reports.base import House

        small = self.settings.privacy.declared_members < SMALL_CHAIN
        return House(catalogue.load(), self.settings.zone, self.settings.currency, most_hidden=0.04 if small else 0.01)

    @cached_property
    def cubes(self) -> Cubes:
        """Buys the plan of a month at its close."""
        from analytics.reports import plan
        from analytics.reports.cubes import Cubes

        private = self.settings.privacy
        default = plan.load(private.declared_members)
        return Cubes(self.reader, self.releases, self.reports, self.report_house, default, private.rho_per_month)

    @cached_property
    def shelf(self) -> Shelf:
        """What was released of closed months; it opens no lake."""
        from analytics.reports.shelf import Shelf

        return Shelf(self.releases, self.report_house)

    def feed_tables(self) -> dict[str, tuple[str, tuple[str, ...]]]:
        """The released tables by name, for other programs."""
        from analytics.reports import feed

        return feed.tables(self.shelf.cubes())

    def feed_rows(self, measure: str, by: tuple[str, ...]) -> list[dict[str, Any]]:
        """A released table's rows, each with its ε at the displayed δ."""
        from analytics.reports import feed

        found = list(feed.rows(self.shelf.cubes(), measure, by))
        costs = {rho: self.releases.cost(rho) for rho in {row["rho_nano"] for row in found}}
        return [row | {"epsilon": round(costs[row["rho_nano"]].epsilon, 6), "delta": costs[row["rho_nano"]].delta} for row in found]

    def report_kinds(self) -> list[dict[str, Any]]:
        """What may be asked: kinds with their groupings, filters and prices; the lake is not opened for it."""
        from analytics.reports import grammar
        from analytics.reports.kinds import KINDS

        return [grammar.described(kind) for kind in KINDS.values()]

    def report_columns(self) -> dict[str, list[str]]:
        """`table.column` of the lake → the kinds of report that may group or filter by it."""
        from analytics.reports.kinds import KINDS

        found: dict[str, list[str]] = {}
        for name, kind in KINDS.items():
            for column in dict.fromkeys([*kind.by, *kind.groups, *kind.filters]):
                found.setdefault(f"{kind.table}.{column}", []).append(name)
        return found

    def report_values(self, kind: str) -> dict[str, list[str]]:
        """The public values of a kind's filters."""
        from analytics.reports import grammar
        from analytics.reports.kinds import KINDS

        return grammar.values(KINDS[kind], self.reader, self.report_house)

    def held_free(self, kind: str, options: Options) -> dict[str, Any] | None:
        """The answer of a question that the months' cubes hold already; None where it has to be bought."""
        from analytics.reports import fromcubes

        return fromcubes.answer(self.shelf, self.reports.question(kind, options))

    def published(self, **wanted: Any) -> tuple[list[dict[str, Any]], int]:
        """Stored answers without their numbers, newest first, and how many there are; `after` and `limit` cut a page out of them."""
        from privacy.dp import register

        after, limit = wanted.pop("after", ""), wanted.pop("limit", 50)
        with self.read_console() as tx:
            found = register.published(tx, register.Wanted(**wanted), after=after, limit=limit)
            return [one.document() for one in found], register.count(tx, register.Wanted(**wanted))

    def published_one(self, release_id: str) -> dict[str, Any]:
        """The register entry of a stored answer; raises NotFound."""
        from privacy.dp import register

        with self.read_console() as tx:
            found = register.one(tx, release_id)
        if found is None:
            raise NotFound("there is no release with this id", code="release_not_found")
        return found.document()

    def charges(self, *, month: int = 0, before: int = 0, limit: int = 100) -> tuple[list[dict[str, Any]], int]:
        """Charges with what was left after each, newest first, and how many there are."""
        from privacy.dp import register

        with self.read_console() as tx:
            return list(register.charges(tx, month=month, before=before, limit=limit)), register.count_charges(tx, month=month)

    def report_options(self, asked: Mapping[str, Any]) -> Options:
        """A request's words as options; without a period the last month that is closed by the calendar."""
        from analytics.reports.base import Options

        if asked["first"] is None:
            start = end = self.last_closed_month()
        else:
            start, end = asking.month_of(asked["first"], "from"), asking.month_of(asked["last"], "to")
        return Options(start, end, tuple(asked["by"]), tuple(asked["where"]), asked.get("price", 0), tuple(asked.get("measures", ())))

    def last_closed_month(self) -> int:
        """The last month that is closed by the calendar: seven days after its end, so that what comes late is in it."""
        today = self.clock().astimezone(self.settings.time_zone).date()
        inside = today.replace(day=1) - timedelta(days=1 if today.day > 7 else 32)
        return inside.year * 100 + inside.month

    def close_month(self, month: int) -> bool:
        """Writes the month's person_month rows; false if it was closed before. What imports brought into what it reads is in use from now on."""
        from analytics.metrics import month_after
        from analytics.profiles import close_month

        if not self.reader.month_closed("person_month", month):
            with self.begin_jobs() as tx:
                imports.mark_used(tx, month_after(month, -LOOK_BACK), month)
        return close_month(self.reader, self.writer, month, zone=self.settings.zone, now=self.clock())

    @contextmanager
    def lake_lease(self) -> Iterator[None]:
        """One writer of the lake at a time, in any process; raises Unavailable while another holds the lease."""
        holder = self.process
        with self.begin_jobs() as tx:
            if not housekeeping.take_lease(tx, LEASE, holder, now=self.clock(), gone=self.gone):
                raise Unavailable("another process is writing the lake", code="lake_busy", retry_after=5)
        try:
            yield
        finally:
            with self.begin_jobs() as tx:
                housekeeping.give_lease_back(tx, LEASE, holder)

    def make_lake(self) -> None:
        """Makes the tables of the lake that do not exist yet."""
        _ = self._lake

    def lake_tables(self) -> int:
        """How many tables of the lake open; makes none. Raises Unavailable or NotFound where one does not."""
        from analytics.lake import tables

        address = sa.make_url(self.settings.catalogue_url)
        if address.drivername.startswith("sqlite") and not Path(address.database or "").is_file():
            raise NotFound("the lake's catalogue is not there", code="lake_unknown")
        register_dialect()
        catalog = tables.open_catalogue(self.settings.catalogue_url, self.settings.lake_path)
        try:
            return len([tables.load(catalog, name) for name in catalogue.load().tables])
        finally:
            catalog.close()

    def close_lake(self) -> None:
        """Ends the catalogue's connections, if it was opened."""
        if (catalog := self.__dict__.get("_lake")) is not None:
            catalog.close()
