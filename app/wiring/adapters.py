"""The concrete sources, named here and nowhere else."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

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
        from ingestion.sources import segment

        if source.kind not in ("segment", "rudderstack"):
            raise Invalid("this source does not send messages here", code="wrong_endpoint")
        only = None if kind == "batch" else kind
        return segment.read(parsed, source, catalogue.load(), received_at=self.clock(), request_id=request_id, only=only)

    def mapping(self, path: Path) -> FileMapping:
        """A mapping file; raises Invalid with the place that is wrong."""
        try:
            return parse(path.read_text("utf-8"), catalogue.load())
        except FileNotFoundError:
            raise NotFound("there is no such mapping file", code="mapping_unknown", field="mapping") from None

    def read_file(self, path: Path, source: SourceFacts, progress: Callable[[int, int], None]) -> Iterator[RawBatch]:
        """A file's chunks; `progress` hears how much of the file was read, of how much."""
        from ingestion.sources import files

        yield from files.read(path, source, clock=self.clock, chunk_rows=self.settings.limits.import_rows, progress=progress)

    def replayed(self, source: SourceFacts, payloads: Sequence[bytes], mapping_path: Path | None) -> tuple[RawBatch, FileMapping | None]:
        """Held payloads as a batch again: messages by their adapter, rows of files by a mapping."""
        from ingestion import strictjson
        from ingestion.sources import files, segment

        if source.kind != "file":
            parsed = strictjson.loads(b'{"batch":[' + b",".join(payloads) + b"]}")
            return segment.read(parsed, source, catalogue.load(), received_at=self.clock(), request_id=""), None
        if mapping_path is None:
            raise Invalid("rows of a file need a mapping", code="mapping_missing", field="mapping")
        return files.replayed(source, payloads, now=self.clock()), self.mapping(mapping_path)

    def synthetic(self, folder: Path, *, members: int, first: date, last: date) -> dict[str, Path]:
        """Files of an invented retailer."""
        from ingestion.sources import synthetic

        return synthetic.write(folder, synthetic.Retailer(members, first, last))
