"""Letters to the people whom an incident concerns, in both languages, from the controller that the settings name.

Promise: a letter says what the incident's paper says and nothing about anybody who reads it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from app.wiring import Services

LANGUAGES = ("en", "zh")


def of(services: Services, incident: str) -> dict[str, str]:
    """Language → letter; raises NotFound."""
    controller = services.settings.controller
    return {language: services.incidents.letter(incident, controller.name, controller.contact, language) for language in LANGUAGES}
