"""The desk of requests, wired: its door, its calendars, what a copy covers and where it is read."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from functools import cache, cached_property
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from app.wiring.delivering import Delivering
from app.wiring.lake import Lake
from ingestion.sources import calendar
from privacy.dictionary import catalogue
from privacy.errors import Invalid
from privacy.rights import clocks, letters, packages, stores
from privacy.rights.packages import Package
from privacy.vocabulary import Regime, Right

if TYPE_CHECKING:
    from analytics.lake.copy import SubjectCopy
    from privacy.rights.corrections import Corrections
    from privacy.rights.register import Wanted

COUNTRIES = {Regime.PIPL: "CN"}
"""Whose working days a law counts; of the Union no one country's: Monday to Friday."""


class Covered:
    """What a copy covers and leaves out, and the register of packages, for whoever packs."""

    lasts: timedelta = packages.LASTS
    others_words = stores.OTHERS_WORDS
    package = Package

    @staticmethod
    def goes_into(right: str, part: str) -> bool:
        """Whether a part belongs into the package of a right."""
        if right == Right.PORTABILITY:
            return stores.portable(part)
        return part in (stores.EXPLANATION, stores.AUDIENCES) or part.startswith("lake.person_month") or right != Right.EXPLANATION

    @staticmethod
    def goes_to_kin(part: str) -> bool:
        """Whether a relative of somebody who died is given a part: what the person gave and did, not who of the staff looked (PIPL 49)."""
        return stores.portable(part)

    @staticmethod
    def manifest(shown: Mapping[str, Sequence[Any]], hidden: Sequence[str], chosen: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Every table with its part and the part's rows, or why there is none."""
        people = {f"lake.{name}": f"lake.{name}" for name, table in catalogue.load().tables.items() if table.people}
        told: list[dict[str, Any]] = []
        for table, part in sorted({**stores.COVERED, **people}.items()):
            why = None if part in shown else "withheld" if part in hidden else "not asked for by this right"
            told.append({"table": table, "part": part, "rows": len(shown[part]) if part in shown else None, "why": why})
        told += [{"table": table, "part": None, "rows": None, "why": why} for table, why in sorted(stores.EMPTY_OF_PEOPLE.items())]
        return told

    @staticmethod
    def ended(tx: sa.Connection, now: Any, numbers: Sequence[str]) -> list[Package]:
        """Packages that are over."""
        return packages.ended(tx, now, numbers)

    @staticmethod
    def destroyed(tx: sa.Connection, ids: Sequence[str], now: Any) -> None:
        """Notes that they are gone."""
        packages.destroyed(tx, ids, now)


@cache
def worked(regime: Regime) -> clocks.Working:
    """The working days that a law counts."""
    return calendar.worked(COUNTRIES[regime]) if regime in COUNTRIES else clocks.weekdays


class DeskOfRequests(Lake, Delivering):
    """What the register of requests needs."""

    stores_covered = Covered()

    @cached_property
    def rights(self) -> Corrections:
        from privacy.consent.receipts import Controller
        from privacy.rights.corrections import Corrections

        controller = self.settings.controller
        return Corrections(
            controller=Controller(controller.name, controller.contact, self.settings.jurisdiction),
            begin_platform=self.begin_console,
            read_platform=self.read_console,
            begin_vault=self.stores.begin_vault,
            read_vault=self.stores.read_vault,
            keyring=self.open_keyring(),
            log=self.log,
            clock=self.clock,
            random=secrets.token_bytes,
            zone=self.settings.zone,
            working=worked,
            wards=self.wards,
            given=self.given_to,
            correcting=lambda people: self.deliveries.tell(people, "corrected"),
        )

    @cached_property
    def subject_copy(self) -> SubjectCopy:
        """Reads what the lake holds of one person, for the door that has logged it."""
        from analytics.lake.copy import SubjectCopy

        return SubjectCopy(self.reader, catalogue.load(), self._engine)

    def requests_wanted(self, **wanted: Any) -> Wanted:
        """Which requests a list is about."""
        from privacy.rights.register import Wanted

        return Wanted(**wanted)

    def rights_letter(self, told: Mapping[str, Any], name: str, language: str) -> list[str]:
        """A letter of a request."""
        if name not in letters.LETTERS or language not in letters.LANGUAGES:
            raise Invalid("there is no such letter", code="letter_unknown", field="letter")
        return letters.letter(name, language, self._facts(told))

    def rights_letters(self, told: Mapping[str, Any]) -> list[str]:
        """Which letters there are."""
        return letters.available(self._facts(told), asked=told["asked_at"] is not None)

    def _facts(self, told: Mapping[str, Any]) -> letters.Facts:
        controller = self.settings.controller
        longer = next((one["facts"].get("reason") for one in told["events"] if one["act"] == "lengthened"), None)
        return letters.Facts(
            number=told["number"],
            right=told["right"],
            received=date.fromisoformat(told["received_on"]),
            due=date.fromisoformat(told["due_by_law"]),
            controller=controller.name,
            contact=controller.contact,
            outcome=told["outcome"],
            reason=told["reason"],
            longer=longer,
            deceased=told["deceased"],
        )
