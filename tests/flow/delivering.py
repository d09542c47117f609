"""A house whose lists go to a recipient of ours over real TLS: for the tests of deliveries."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from app import deliveries
from app.settings import DeliverySettings
from tests.fakes.paperwork import ABROAD, BOB
from tests.fakes.receiver import HOST, Receiver, receiver
from tests.gatehouse import Scene
from tests.house import House

PHONES = [f"+86137{number:08d}" for number in range(60)]
PLATFORM = ABROAD | {"purposes": ["marketing.channel.sms"], "categories": ["phone"], "mechanism": "standard_contract"}
RHO_NANO = 40_000_000
"""σ = 3.5: a count of 60 fails a minimum of 10 with its margin with a probability below 10⁻¹⁸."""


class Street(Scene):
    """A scene whose lists are carried by the house itself."""

    def __init__(self, house: House, phones: Sequence[str] = PHONES) -> None:
        super().__init__(house, PLATFORM, phones)
        self.delivery = self.services.deliveries  # type: ignore[assignment]
        self.door = self.services.__dict__["exports"] = self.gate(RHO_NANO, cap=None, minimum=10)

    def prepare(self, phones: Sequence[str]) -> str:
        """They allow the country, too."""
        recipient = super().prepare(phones)
        self.allow(phones, ["crossborder.sg"])
        return recipient

    def list_for_meta(self) -> str:
        """A released list of telephones in the platform's own form."""
        return self.released(form="meta", fields=("phone",))

    def round(self) -> dict[str, Any]:
        """What the schedule does every few seconds."""
        return dict(deliveries.carry(self.services))

    def told(self, **wanted: str) -> list[dict[str, Any]]:
        """The parts, as they are listed."""
        found: list[dict[str, Any]] = deliveries.listing(self.services, **wanted)["items"]
        return found

    def board(self) -> dict[str, Any]:
        """The recipient's line."""
        return deliveries.board(self.services)[0]

    def withdraw(self, *phones: str) -> None:
        """People no longer allow this recipient."""
        self.allow(phones, ["share.far-ads"], "withdrawn")

    def holdings(self) -> int:
        """Rows that the vault remembers."""
        with self.services.stores.read_vault() as tx:
            return int(tx.execute(sa.text("SELECT count(*) FROM export_holding")).scalar_one())


def direct(house: House, text: str, **settings: Any) -> None:
    """Writes the operator's file of destinations, and settings beside it."""
    (house.home / "destinations.toml").write_text(text, encoding="utf-8")
    told = {"hosts": (HOST,), "networks": ("127.0.0.0/8",), "wait_seconds": 1, **settings}
    house.services.settings = replace(house.services.settings, delivery=DeliverySettings(**told))


@contextmanager
def pushed(house: House, folder: Path) -> Iterator[Receiver]:
    """A recipient that answers, and a house that knows its address."""
    with receiver(folder) as told:
        file = house.home / "partner.pem"
        file.write_bytes(told.certificate.read_bytes())
        token = house.home / "partner.token"
        token.touch(0o600)
        token.write_text("T0ken", encoding="ascii")
        direct(
            house,
            f'[far-ads]\nway = "push"\naddress = "https://{HOST}:{told.port}/v1/users"\nheader = "Access-Token"\n'
            'token_file = "partner.token"\ntarget = { audience = "a1" }\n',
            authorities=file.name,
        )
        house.services.resolve = lambda host, port: ["127.0.0.1"]  # type: ignore[method-assign]
        yield told


def rows(body: bytes) -> list[str]:
    """The digests of a request in the platform's form."""
    return [row[0] for row in json.loads(body)["payload"]["data"]]


__all__ = ["BOB", "PHONES", "Street", "direct", "pushed", "rows"]
