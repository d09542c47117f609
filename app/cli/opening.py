"""Opens what a command works on and closes it when the command ends.

Promise: a command leaves no connection behind, however it ends; nothing heavy is imported before a command asks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from app.wiring import Services


def opened(*, serving: bool = False, checking: bool = False, at: str | None = None) -> Services:
    """The services of PIYING_HOME, for the length of the command that asks."""
    from app.wiring import open_services

    services = open_services(serving=serving, checking=checking, at=at)
    click.get_current_context().call_on_close(services.close)
    return services
