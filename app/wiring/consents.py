"""The consent log, wired: its door, what a reader of it asks for, the notices beside it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from app.wiring.doors import Doors
from privacy.consent import registry

if TYPE_CHECKING:
    from privacy.consent.listing import Wanted
    from privacy.oversight.consents import ConsentLog


class Consents(Doors):
    """What the consent log and its receipts need."""

    @cached_property
    def consent_log(self) -> ConsentLog:
        from privacy.consent.receipts import Controller
        from privacy.oversight.consents import ConsentLog

        controller = self.settings.controller
        return ConsentLog(
            controller=Controller(controller.name, controller.contact, self.settings.jurisdiction),
            begin_platform=self.begin_console,
            read_platform=self.read_console,
            read_vault=self.stores.read_vault,
            keyring=self.open_keyring(),
            log=self.log,
            clock=self.clock,
        )

    def consent_filter(self, **wanted: Any) -> Wanted:
        """What a reader of the consent log asks for."""
        from privacy.consent.listing import Wanted

        return Wanted(**wanted)

    def notices(self, tx: sa.Connection) -> Sequence[registry.Notice]:
        """Every notice, oldest first."""
        return registry.notices(tx)
