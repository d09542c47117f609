"""What people decided and who they are, as commands and routes use the doors: one call each.

Promise: identifiers are arguments in memory only; they are in no log and no job, and in no answer but masked;
one value at a time is revealed, by a door that logs it first.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from app.wiring import Services
    from privacy.records import SourceFacts


def record_consents(
    services: Services,
    items: Sequence[Mapping[str, Any]],
    *,
    actor: str,
    source: SourceFacts | None,
    idempotency_key: str | None,
    namespace: str = "",
) -> list[dict[str, Any]]:
    """Records acts of consent; a verdict for each, in order."""
    told: list[dict[str, Any]] = services.preferences.record(
        items, actor=actor, source=source, idempotency_key=idempotency_key, namespace=namespace
    )
    return told


def show_consents(services: Services, type_: str, value: str, *, actor: str, namespace: str = "") -> dict[str, Any]:
    """What a person allows now."""
    shown: dict[str, Any] = services.preferences.show(type_, value, actor=actor, namespace=namespace)
    return shown


def find(services: Services, type_: str, value: str, *, purpose: str, reason: str, actor: str, namespace: str = "") -> dict[str, Any]:
    """A person's masked identifiers; the log entry is committed before anything is read."""
    found: dict[str, Any] = services.oversight.find_person(type_, value, purpose=purpose, reason=reason, actor=actor, namespace=namespace)
    return found


def reveal(services: Services, handle: str, ref: str, *, purpose: str, reason: str, actor: str) -> dict[str, Any]:
    """One identifier in clear, named by what `find` gave; the log entry is committed before anything is read."""
    revealed: dict[str, Any] = services.oversight.reveal(handle, ref, purpose=purpose, reason=reason, actor=actor)
    return revealed
