"""Deliveries, wired: their door, what the gate tells them, where recipients are reached."""

from __future__ import annotations

import secrets
import ssl
from collections.abc import Mapping, Sequence
from datetime import timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any, cast

import sqlalchemy as sa

from app import directions, outbound
from app.destinations.fetched import Fetched
from app.destinations.folder import Drop
from app.destinations.https import Push, trusting
from app.wiring.doors import Doors
from privacy.accountability import dossiers
from privacy.consent import effects
from privacy.delivery import desk, suppressions
from privacy.delivery.delivered import DOWNLOAD, Route
from privacy.delivery.desk import Deliveries
from privacy.errors import NotFound, Unavailable

if TYPE_CHECKING:
    from app.directions import Direction
    from privacy.carriage import Destination
    from privacy.export.making import Rules


effects.register("suppressions_sent", desk.told)
effects.register("suppressions_confirmed", desk.confirmed)


class Delivering(Doors):
    """What deliveries need."""

    resolve: outbound.Resolve = staticmethod(outbound.resolve)
    """How names of hosts become addresses; a test hands in its own."""

    @cached_property
    def export_rules(self) -> Rules:
        """What this deployment decided about lists."""
        from privacy.export.making import Rules

        settings, controller = self.settings, self.settings.controller
        return Rules(
            jurisdiction=settings.jurisdiction,
            unknown_age=settings.privacy.unknown_age,
            minimum=settings.privacy.minimum_people,
            controller=controller.name,
            contact=controller.contact,
            opt_out=controller.contact,
        )

    @cached_property
    def deliveries(self) -> Deliveries:
        return Deliveries(
            begin_vault=self.stores.begin_vault,
            read_vault=self.stores.read_vault,
            begin_platform=self.begin_jobs,
            read_platform=self.read_console,
            keyring=self.open_keyring(),
            log=self.log,
            clock=self.clock,
            random=secrets.token_bytes,
            gate=lambda: cast("Any", self).exports,  # made by a part of the services that hands its lists to this one
            routes=self.route,
            within=timedelta(hours=self.settings.delivery.acknowledge_hours),
        )

    def given_to(self, tx: sa.Connection, handles: Sequence[bytes]) -> list[dict[str, Any]]:
        """To whom a person was given, and who was told to let go of them, for the copy that they ask for."""
        from privacy.export import leavers, requests

        names = {paper.id: (paper.content["name_zh"], paper.content["name_en"]) for paper in dossiers.listing(tx, "recipient")}
        rows: list[dict[str, Any]] = []
        for export in sorted(leavers.lists_of(tx, list(handles))):
            one = requests.one(tx, export)
            zh, en = names.get(one.recipient, ("", ""))
            at = None if one.released_at is None else one.released_at.isoformat()
            rows.append(
                {"recipient_zh": zh, "recipient_en": en, "export": export, "purpose": one.purpose, "fields": list(one.fields), "at": at}
            )
        for line in suppressions.of_people(tx, handles):
            zh, en = names.get(line.recipient, ("", ""))
            told = None if line.acknowledged_at is None else line.acknowledged_at.isoformat()
            rows.append(
                {"recipient_zh": zh, "recipient_en": en, "removed_for": line.reason, "at": line.since.isoformat(), "acknowledged_at": told}
            )
        return rows

    # ── where recipients are reached ─────────────────────────────────────────────────────────────────────────────────────────

    def guard(self) -> outbound.Guard:
        """What may be pushed to."""
        delivery = self.settings.delivery
        return outbound.Guard(outbound.hosts_of(delivery.hosts), tuple(delivery.networks))

    def directions(self) -> dict[str, Direction]:
        """The operator's file of destinations, as it is now."""
        return directions.read(self.settings.home / self.settings.delivery.destinations, self.guard())

    def direction(self, tx: sa.Connection, recipient: str) -> tuple[Direction | None, Mapping[str, Any]]:
        """How a recipient is reached, and what is written down of it."""
        paper = dossiers.one(tx, "recipient", recipient).content
        return self.directions().get(paper["key"]), paper

    def route(self, tx: sa.Connection, recipient: str) -> Route:
        """The way and the list at the recipient, for a release."""
        found, _ = self.direction(tx, recipient)
        return Route(DOWNLOAD) if found is None else Route(found.way, found.target)

    def carrier(self, recipient: str) -> tuple[Destination, str, str | None]:
        """What carries to a recipient, its way, and the key that its files are sealed for; raises for a direction that is wrong."""
        with self.read_console() as tx:
            found, paper = self.direction(tx, recipient)
        key = paper.get("sealing_key") or None
        if found is None:
            return Fetched(), DOWNLOAD, key
        if found.way == directions.FOLDER:
            return Drop(self.settings.home / self.settings.delivery.folder / found.folder), found.way, key
        if found.address is None:
            raise NotFound("the recipient has no address", code="destination_invalid", field="address")
        push = Push(
            found.address, self.guard(), self.resolve, self.clock, self._trusted(), directions.token(self.settings.home, found),
            seconds=self.settings.delivery.wait_seconds,
        )  # fmt: skip
        return push, found.way, key

    def _trusted(self) -> ssl.SSLContext:
        own = self.settings.delivery.authorities
        try:
            return trusting(str(self.settings.home / own) if own else None)
        except OSError:
            raise Unavailable("the file of authorities cannot be read", code="authorities_unreadable") from None
