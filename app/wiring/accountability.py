"""The desks of accountability, wired: recipients, agreements, assessments, incidents, audit packs, and what checks of theirs ask."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from app.wiring.doors import Doors
from privacy.audit import touched
from privacy.consent import registry
from privacy.identity.keys import ROTATABLE

if TYPE_CHECKING:
    from privacy.oversight.assessments import Assessments
    from privacy.oversight.incidents import Incidents
    from privacy.oversight.packs import Packs
    from privacy.oversight.recipients import Agreements, Recipients


class Accountability(Doors):
    """What officers keep about processing, beside what they do about people."""

    def _shared(self) -> dict[str, Any]:
        return {
            "begin_platform": self.begin_console,
            "read_platform": self.read_console,
            "log": self.log,
            "clock": self.clock,
            "random": secrets.token_bytes,
            "zone": self.settings.time_zone,
            "jurisdiction": self.settings.jurisdiction,
        }

    @cached_property
    def recipients(self) -> Recipients:
        from privacy.oversight.recipients import Recipients

        return Recipients(keyring=self.open_keyring(), **self._shared())

    @cached_property
    def agreements(self) -> Agreements:
        from privacy.oversight.recipients import Agreements

        return Agreements(**self._shared())

    @cached_property
    def assessments(self) -> Assessments:
        from privacy.oversight.assessments import Assessments

        return Assessments(**self._shared())

    @cached_property
    def incidents(self) -> Incidents:
        from privacy.oversight.incidents import Incidents

        return Incidents(keyring=self.open_keyring(), read_vault=self.stores.read_vault, **self._shared())

    @cached_property
    def packs(self) -> Packs:
        from privacy.oversight.packs import Packs

        return Packs(keyring=self.open_keyring(), **self._shared())

    # ── facts that checks ask for ────────────────────────────────────────────────────────────────────────────────────────────

    def paper_fields(self, kind: str) -> tuple[Any, ...]:
        """The fields of a kind of paper, for forms."""
        from privacy.accountability import assessments, incidents, processing_agreements, recipients

        known: Mapping[str, tuple[Any, ...]] = {
            "recipient": recipients.FIELDS,
            "agreement": processing_agreements.FIELDS,
            "certificate": processing_agreements.CERTIFICATE,
            "assessment": assessments.FIELDS,
            "incident": incidents.FIELDS,
        }
        return known[kind]

    def articles(self) -> Mapping[str, Mapping[Any, str]]:
        """Jurisdiction → ground → article."""
        return registry.GROUNDS

    def altered_notices(self, tx: sa.Connection) -> list[str]:
        """Versions of notices whose words are no longer those that their name is the hash of."""
        return registry.altered_notices(tx)

    def last_act(self, prefix: str) -> datetime | None:
        """When an act whose name begins so was last written into the access log."""
        with self.read_console() as tx:
            return touched.newest(tx, prefix)

    def key_ages(self) -> list[tuple[str, int, datetime]]:
        """Kind, version and time of making of the newest version of every key that can be rotated."""
        newest = {kind: (kind, version, made) for kind, version, made, _ in self.open_keyring().inventory() if kind in ROTATABLE}
        return list(newest.values())

    def names_of_minors(self, months: Sequence[int], *, actor: str) -> Any | None:
        """The lake's names of children under fourteen, for the check that none of them is there; logged first."""
        from privacy.oversight import minors

        today = self.clock().astimezone(self.settings.time_zone).date()
        return minors.names(
            self.begin_console, self.stores.read_vault, self.open_keyring(), self.log, today=today, months=months, actor=actor
        )
