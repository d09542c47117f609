"""Segments and stored audiences, wired: whom a segment reaches, who stands in an audience, why somebody does."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

from app.wiring.delivering import Delivering
from app.wiring.lake import Lake

if TYPE_CHECKING:
    import pyarrow as pa

    from analytics.reports.reach import Reach
    from privacy.export.keeping import Keeping
    from privacy.export.reach import Reach as Reached
    from privacy.records import Question


class Audienced(Lake, Delivering):
    """What segments and audiences need beside the lake."""

    @cached_property
    def reach(self) -> Reach:
        """The size of segments, as releases."""
        from analytics.reports.reach import Reach

        return Reach(self.releases)

    def reach_question(self, digest: str, months: Sequence[int], channel: str, recipient: str) -> Question:
        """The canonical question of a rule."""
        from analytics.reports.reach import question

        return question(digest, months, channel, recipient)

    @cached_property
    def reached(self) -> Reached:
        """Counts whom a segment reaches, for the release door and for officers."""
        from privacy.export.reach import Reach

        return Reach(
            begin_platform=self.begin_jobs,
            read_platform=self.read_console,
            read_vault=self.stores.read_vault,
            keyring=self.open_keyring(),
            log=self.log,
            clock=self.clock,
            zone=self.settings.time_zone,
            rules=self.export_rules,
        )

    @cached_property
    def kept(self) -> Keeping:
        """Who stands in the stored audiences."""
        from privacy.export.keeping import Keeping

        return Keeping(
            begin_platform=self.begin_console,
            read_platform=self.read_console,
            read_vault=self.stores.read_vault,
            keyring=self.open_keyring(),
            log=self.log,
            clock=self.clock,
            random=secrets.token_bytes,
            zone=self.settings.time_zone,
            unknown_age=self.settings.privacy.unknown_age,
            membership_days=self.settings.retention.membership_days,
        )

    def audiences_of(self, people: Sequence[bytes], names: pa.Table) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
        """The audiences in which somebody stands or stood, and why, for their own copy; whoever asks has logged it."""
        from app import audiences

        return audiences.of_person(self, people, names)  # type: ignore[arg-type]
