"""Files and uploads, wired: how an upload is sealed, read and looked at, and what an undo asks the ledger."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Collection, Iterable, Sequence
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app import importing, imports, parcels
from app.wiring.doors import Doors
from ingestion import mapping as mappings
from privacy.dictionary import catalogue

if TYPE_CHECKING:
    from ingestion.mapping import FileMapping
    from ingestion.sources.files import Content
    from privacy.audit.reading import Line
    from privacy.identity.parcels import ParcelSeal
    from privacy.records import RawBatch, SourceFacts

TRIAL_ROWS = 200_000
"""Rows of a file that a guess or a trial looks at."""


class Contents(Doors):
    """What concerns the content of files."""

    @cached_property
    def parcel_seal(self) -> ParcelSeal:
        """Seals uploads, each under a key of its own."""
        from privacy.identity.parcels import ParcelSeal

        stores = self.stores
        return ParcelSeal(stores.begin_vault, stores.read_vault, self.open_keyring(), clock=self.clock, random=secrets.token_bytes)

    @property
    def uploads_path(self) -> Path:
        return self.settings.home / "uploads"

    def parsed_mapping(self, text: str) -> FileMapping:
        """A mapping out of its text; raises Invalid with the place that is wrong."""
        return mappings.parse(text, catalogue.load())

    @cached_property
    def shipped_mappings(self) -> dict[str, str]:
        """The mappings that come with the program, by name."""
        from importlib.resources import files

        folder = files("ingestion.sources") / "mappings"
        found = {one.name.removesuffix(".toml"): one for one in folder.iterdir() if one.name.endswith(".toml")}
        return {name: found[name].read_text("utf-8") for name in sorted(found)}

    def acts_on(self, prefix: str, fact: str, value: str, *, since: datetime) -> list[Line]:
        """What the access log says was done to one thing of ours."""
        from privacy.audit import reading

        with self.read_console() as tx:
            return reading.acts(tx, prefix, fact, value, since=since)

    def content(self, facts: imports.Facts) -> Content:
        """An upload as a file; its name is made of its format, never of what somebody called it."""
        from ingestion.sources.files import Content

        opened = parcels.opener(self.uploads_path, facts.id, self.parcel_seal, facts.sealed_bytes)
        return Content(f"upload.{facts.format}", facts.size or 0, opened)

    def chunks(self, file: Path | Content, source: SourceFacts, mapping: FileMapping, chunk_rows: int) -> importing.Chunks:
        """How a file is read from a row on. Rows that name themselves need no chunk to be known by: more of them go together."""
        from ingestion.sources import files

        rows = chunk_rows * files.TOGETHER if mapping.id else chunk_rows

        def read(start: int, progress: Callable[[int, int], None]) -> Iterable[RawBatch]:
            return files.read(
                file,
                source,
                clock=self.clock,
                start=start,
                chunk_rows=rows,
                progress=progress,
                encoding=mapping.encoding,
                delimiter=mapping.delimiter,
            )

        return read

    def guess(self, file: Path | Content, source: SourceFacts, record: str | None) -> dict[str, Any]:
        """What a file's columns seem to be, and a mapping proposed for it."""
        from ingestion import guess, sample
        from ingestion.sources import files

        name = file.name
        with file.open("rb") if isinstance(file, Path) else file.open() as raw:
            form = sample.sniff(files.inflated(name, raw).read(sample.HEAD), files.kind_of(Path(name)))
        batches = files.read(file, source, clock=self.clock, encoding=form.encoding, delimiter=form.delimiter)
        seen = sample.sample(batches, TRIAL_ROWS)
        return guess.propose(
            seen, catalogue.load(), recognise, form=form, zone=self.settings.zone, currency=self.settings.currency, record=record
        )

    def trial(self, file: Path | Content, source: SourceFacts, mapping: FileMapping) -> dict[str, Any]:
        """What would become of a file's rows as far as their form goes; nothing is written and nobody is looked up."""
        from ingestion import trial

        batches = self.chunks(file, source, mapping, self.settings.limits.import_rows)(0, lambda done, total: None)
        months = self.settings.retention.lake_months
        return trial.run(
            batches, mapping, catalogue.load(), now=self.clock(), retention_days=months * 31, zone=self.settings.zone, rows=TRIAL_ROWS
        )

    def charged_since(self, months: Collection[int], at: datetime) -> bool:
        """Whether a question was charged to one of these months since."""
        from privacy.dp import ledger

        with self.read_console() as tx:
            return ledger.charged_since(tx, months, at)


def recognise(kind: str, values: Sequence[str]) -> list[bool]:
    """Which values are identifiers of a kind, by the very rules that admission normalises them with; `card` and `ip` by their check."""
    import pyarrow as pa

    from privacy.deidentify import checks
    from privacy.identity import normalise

    if kind == "card":
        return [checks.card("".join(one for one in value if one.isdigit())) for value in values]
    if kind == "ip":
        return [checks.ip(value) for value in values]
    found, _ = normalise.normalise(kind, pa.array(values, pa.string()), namespace="")
    known: list[bool] = found.is_valid().to_pylist()
    return known
