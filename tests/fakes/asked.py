"""Requests at several steps, for pages that show them. Tests only."""

from __future__ import annotations

from typing import Any

from app import requests
from app.wiring import Services
from tests.fakes import known


def open_(services: Services, actor: str, right: str, *, phone: str = known.PHONE, **more: Any) -> str:
    """A request by a look-up with a telephone."""
    said = {"channel": "phone", "language": "en", "right": right, **more}
    return str(requests.open_by(services, "phone", phone, said, reason="she called and asked", actor=actor)["number"])


def reviewed(services: Services, actor: str, number: str) -> None:
    """Identity proven, gathered."""
    requests.ask_identity(services, number, actor=actor)
    requests.check_identity(services, number, method="code", passed=True, actor=actor)
    requests.gather(services, number, actor=actor)


def decided(services: Services, actor: str, number: str) -> None:
    """Gathered, looked through, decided for."""
    reviewed(services, actor, number)
    requests.reviewed(services, number, actor=actor)
    requests.decide(services, number, outcome="fulfilled", reason="", words="", actor=actor)


def furnish(services: Services, actor: str) -> dict[str, str]:
    """The numbers of requests at several steps, by the names that addresses use."""
    made = {
        "asked": open_(services, actor, "access"),
        "reviewed": open_(services, actor, "deletion"),
        "decided": open_(services, actor, "deletion"),
        "corrected": open_(services, actor, "correction"),
        "delivered": open_(services, actor, "copy"),
    }
    requests.ask_identity(services, made["asked"], actor=actor)
    reviewed(services, actor, made["reviewed"])
    requests.reviewed(services, made["reviewed"], actor=actor)
    for name in ("decided", "corrected", "delivered"):
        decided(services, actor, made[name])
    requests.deliver(services, made["delivered"], actor=actor)
    return made
