"""Audit packs: the state of the house written down, then everything that a compliance audit asks, signed.

Promise: a pack is made of the log and of papers alone; the same range gives the same bytes, whoever asks and whenever.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from app.accountability import controls, register

if TYPE_CHECKING:
    from app.wiring import Services


def take(services: Services, *, actor: str) -> dict[str, Any]:
    """Asks every control, writes the register and the answers down, and names the pack: {"pack", "size", "at"}."""
    found = controls.run(services)["items"]
    return services.packs.take(register.of(services), found, actor=actor)


def file(services: Services, pack: str, *, actor: str) -> bytes:
    """The pack as a signed ZIP."""
    return services.packs.file(pack, actor=actor)
