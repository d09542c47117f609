"""Evidence, wired: the door of bundles, the witnesses that are known here, and the verifier for what comes back."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from functools import cached_property
from importlib.resources import files
from typing import IO, TYPE_CHECKING, Any

from app.wiring.consents import Consents
from privacy.audit.verify import COSIGNATURE, read_key, verify_bundle
from privacy.errors import Invalid

if TYPE_CHECKING:
    from privacy.oversight.evidence import Evidence, Order


class Evidences(Consents):
    """What evidence packs need."""

    @cached_property
    def witnesses(self) -> tuple[str, ...]:
        """The keys of witnesses whose cosignatures are kept; a setting that is none of those stops whoever asks."""
        for key in self.settings.log.witnesses:
            try:
                read_key(key, COSIGNATURE)
            except ValueError:
                raise Invalid(
                    "log.witnesses holds a key that is none of a witness", code="setting_invalid", field="log.witnesses"
                ) from None
        return self.settings.log.witnesses

    @cached_property
    def evidence(self) -> Evidence:
        from privacy.consent.receipts import Controller
        from privacy.oversight.evidence import Evidence

        controller = self.settings.controller
        return Evidence(
            witnesses=self.witnesses,
            controller=Controller(controller.name, controller.contact, self.settings.jurisdiction),
            begin_platform=self.begin_console,
            read_platform=self.read_console,
            read_vault=self.stores.read_vault,
            keyring=self.open_keyring(),
            log=self.log,
            clock=self.clock,
            zone=self.settings.zone,
        )

    def bundle_order(
        self,
        *,
        kind: str,
        of: tuple[str, ...] | None,
        since: datetime | None,
        until: datetime | None,
        redaction: str,
        contents: Collection[str],
        language: str,
        size: int | None,
        held: tuple[int, ...],
    ) -> Order:
        """What a bundle shall hold, checked."""
        from privacy.audit.bundle import Scope
        from privacy.oversight.evidence import Order

        return Order(Scope(kind, of, since, until, redaction), frozenset(contents), language, size, held)

    def verify_bundle(self, file: IO[bytes], *, witnesses: bool = True) -> dict[str, Any]:
        """What the offline verifier says of a bundle under the keys of this log and the witnesses that are known here."""
        return verify_bundle(file, keys=self.evidence.verifier_keys(), witnesses=self.witnesses if witnesses else ())

    def tool(self, name: str) -> bytes:
        """One of the files that an outsider runs, as it is."""
        return (files("privacy.audit") / name).read_bytes()
