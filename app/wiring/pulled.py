"""Pulled sources, named here: which reader reads what, with the address that only the moment of reading knows."""

from __future__ import annotations

import secrets
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app import addresses, pulls
from app.wiring.adapters import Adapters
from ingestion.cursors import known_by_place
from ingestion.mapping import FileMapping, parse
from privacy.dictionary import catalogue
from privacy.errors import Invalid
from privacy.identity.notes import SourceNotes

if TYPE_CHECKING:
    from datetime import datetime

    from ingestion import cursors
    from ingestion.sources import database, folder, stream
    from privacy.records import RawBatch, SourceFacts


class Pulled(Adapters):
    """What opens a pulled source."""

    @cached_property
    def notes(self) -> SourceNotes:
        return SourceNotes(self.open_keyring(), secrets.token_bytes)

    def check_pull(self, source: SourceFacts, config: Mapping[str, Any], purposes: Collection[str]) -> dict[str, Any]:
        """The words of a definition, checked for the source's kind; raises Invalid naming the word that is wrong."""
        kind = pulls.KINDS.get(source.kind)
        if kind is None:
            raise Invalid("only sources of the kinds database, stream and file are pulled", code="pull_invalid", field="source")
        given = {name: value for name, value in config.items() if value not in (None, "", [])}
        if kind == "folder" and "address" in given:
            raise Invalid("this does not go with the kind of the source", code="pull_invalid", field="address")
        _defined(kind, given)
        if kind != "stream" and "mapping" not in given:
            raise Invalid("rows of a table or a file need a mapping", code="mapping_missing", field="mapping")
        mapping = self._pulled_mapping(given)
        if mapping is not None and {rule.purpose for rule in mapping.consents} - set(purposes):
            raise Invalid("the mapping names a purpose that is not registered", code="purpose_unknown", field="consent")
        if kind != "folder":
            given["address"] = addresses.checked(given["address"]) if "address" in given else addresses.name_for(source.name)
        return given

    def pulled(
        self, source: SourceFacts, config: Mapping[str, Any], places: dict[str, cursors.Place], files: Sequence[cursors.Known]
    ) -> cursors.Steps:
        """The steps of a source's pull from where it was left; closing it closes every connection."""
        from ingestion.sources import database, folder, stream

        found, mapping = _defined(pulls.KINDS[source.kind], config), self._pulled_mapping(config)
        rows, clock = self.settings.limits.import_rows, self.clock
        if isinstance(found, str):
            shape = stream.mapped if mapping is not None else self._messages
            return stream.read(self._address(config), found, mapping, source, places, clock=clock, rows=rows, shape=shape)
        if mapping is None:
            raise Invalid("rows of a table or a file need a mapping", code="mapping_missing", field="mapping")
        if isinstance(found, database.Table):
            return database.read(self._address(config), found, mapping, source, places, notes=self.notes, clock=clock, rows=rows)

        def opened(path: Path, start: int, chunk_rows: int) -> Iterator[RawBatch]:
            from ingestion.sources import files as tables

            return tables.read(path, source, clock=clock, start=start, chunk_rows=chunk_rows)

        watched = replace(found, most_bytes=self.settings.limits.upload_bytes, rows=rows)
        return folder.read(watched, mapping, source, places, files, notes=self.notes, clock=clock, files=opened)

    def file_name(self, mark: bytes) -> str:
        """How a file of a watched folder is called where people see it."""
        from ingestion.sources import folder

        return folder.short(mark)

    def failing_pulls(self) -> dict[str, str]:
        """Error codes of pulls that failed several times in a row, by source."""
        with self.read_jobs() as tx:
            return pulls.failing(tx)

    def replayed(
        self, source: SourceFacts, payloads: Sequence[bytes], mapping_path: Path | FileMapping | None
    ) -> tuple[RawBatch, FileMapping | None]:
        """Held rows of a pulled source again, by its pull's own mapping unless another one is given."""
        from ingestion.sources import files

        with self.read_intake() as tx:
            config = pulls.config_of(tx, source.id) if source.kind in pulls.KINDS else None
        stored = None if config is None or mapping_path is not None else self._pulled_mapping(config)
        if config is None or (stored is None and mapping_path is None):
            return super().replayed(source, payloads, mapping_path)
        mapping = known_by_place(stored if stored is not None else self.mapping(mapping_path or Path()))
        return files.replayed(source, payloads, now=self.clock()), mapping

    # ── parts ────────────────────────────────────────────────────────────────────────────────────────────────────────────────

    def _pulled_mapping(self, config: Mapping[str, Any]) -> FileMapping | None:
        return parse(config["mapping"], catalogue.load()) if "mapping" in config else None

    def _address(self, config: Mapping[str, Any]) -> str:
        return addresses.find(config["address"], self.settings.keys_path.parent)

    def _messages(self, source: SourceFacts, place: str, records: Sequence[stream.Record], now: datetime) -> RawBatch:
        """A partition's records as messages in Segment's form."""
        from ingestion.sources import segment, stream

        read = segment.read(stream.document(records), source, catalogue.load(), received_at=now, request_id="")
        return stream.named(source, place, records, read.items or (), now)


def _defined(kind: str, config: Mapping[str, Any]) -> database.Table | folder.Folder | str:
    """What a definition names: a table, a folder, or a topic."""
    from ingestion.sources import database, folder, stream

    own = {word: value for word, value in config.items() if word not in ("mapping", "address")}
    match kind:
        case "database":
            return database.defined(own)
        case "folder":
            return folder.defined(own)
    return stream.defined(own)
