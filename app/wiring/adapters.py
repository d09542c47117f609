"""The concrete sources, named here and nowhere else."""

from __future__ import annotations

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
    from ingestion.strictjson import Parsed
    from privacy.records import RawBatch, SourceFacts


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

    def synthetic(self, folder: Path, *, members: int, first: date, last: date) -> dict[str, Path]:
        """Files of an invented retailer."""
        from ingestion.sources import synthetic

        return synthetic.write(folder, synthetic.Retailer(members, first, last))
