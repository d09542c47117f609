"""The gate of exports, wired: its door, the shelf of sealed files, what opens an audience."""

from __future__ import annotations

import hashlib
import os
import secrets
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.wiring.delivering import Delivering
from privacy.errors import NotFound, Unavailable

if TYPE_CHECKING:
    import pyarrow as pa

    from privacy.export.door import Exports, Wish
    from privacy.records import Audience

PIECE = 1 << 20


class Folder:
    """A shelf in a folder of its own: what lies there is sealed for its recipient already. Must never learn what is inside."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def put(self, name: str, pieces: Iterable[bytes]) -> tuple[bytes, int]:
        """Keeps a file, through to the disk; its SHA-256 and size."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        digest, size, path = hashlib.sha256(), 0, self._path(name)
        try:
            with os.fdopen(os.open(path, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600), "wb") as file:
                for piece in pieces:
                    digest.update(piece)
                    size += file.write(piece)
                file.flush()
                os.fsync(file.fileno())
        except OSError:
            path.unlink(missing_ok=True)
            raise Unavailable("the disk of the exports cannot be written", code="disk_full", retry_after=60) from None
        except BaseException:  # what made the content failed: half a file does not stay
            path.unlink(missing_ok=True)
            raise
        return digest.digest(), size

    def open(self, name: str) -> Iterator[bytes]:
        """Its bytes in pieces; the file is found when this is called, not when the first piece is asked for."""
        try:
            file = self._path(name).open("rb")
        except FileNotFoundError:
            raise NotFound("the file is gone: its time is over or it was called back", code="export_gone", field="export") from None

        def pieces() -> Iterator[bytes]:
            with file:
                while piece := file.read(PIECE):
                    yield piece

        return pieces()

    def remove(self, name: str) -> None:
        """Removes it; twice is no error."""
        self._path(name).unlink(missing_ok=True)

    def _path(self, name: str) -> Path:
        return self._folder / f"{name}.sealed"


class Exporting(Delivering):
    """What the gate needs."""

    @cached_property
    def exports(self) -> Exports:
        from privacy.export.counts import Counter
        from privacy.export.door import Exports

        settings = self.settings
        return Exports(
            begin_platform=self.begin_console,
            read_platform=self.read_console,
            read_vault=self.stores.read_vault,
            counter=Counter(begin=self.begin_analysis, read=self.read_console, cap_nano=settings.privacy.rho_per_month),
            keyring=self.open_keyring(),
            shelf=Folder(settings.home / "exports"),
            log=self.log,
            clock=self.clock,
            random=secrets.token_bytes,
            zone=settings.time_zone,
            audience=self.open_audience,
            attributes=self.audience_columns,
            columns=self.partner_columns,
            delivery=self.deliveries,
            rules=self.export_rules,
        )

    def open_audience(self, segment: str) -> Audience:
        """The people of a segment as they are now."""
        from app import audiences, segments

        if segment.startswith(audiences.PREFIX):
            return audiences.opened(self, segment)  # type: ignore[arg-type]
        return segments.audience(self, segment)  # type: ignore[arg-type]

    @cached_property
    def partner_columns(self) -> dict[str, str]:
        """What a partner's table may say of a person, each with its class."""
        from analytics.partners import COLUMNS

        return dict(COLUMNS)

    def audience_columns(self, audience: Audience, columns: Sequence[str]) -> pa.Table:
        """Columns about people by their virtual IDs, for a partner's table."""
        from analytics.partners import PartnerColumns

        return PartnerColumns(self._reader_for, self.settings.zone).of(audience, columns)  # type: ignore[attr-defined]

    def export_wish(self, **wanted: Any) -> Wish:
        """What somebody asks for."""
        from privacy.export.door import Wish

        return Wish(**wanted)

    def segment(self, segment: str) -> dict[str, Any]:
        """A segment or a stored audience as it stands: its id, purpose and use."""
        from app import audiences, segments

        if segment.startswith(audiences.PREFIX):
            return audiences.lineage(self, segment)  # type: ignore[arg-type]
        return segments.one(self, segment)  # type: ignore[arg-type]
