"""What was changed in a paper, by whom: versions with the addresses of staff instead of their numbers.

Promise: names of fields and of staff, never what stood in a field.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from app import access

if TYPE_CHECKING:
    from app.wiring import Services


def of(services: Services, versions: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Newest first: {"version", "at", "who", "changed"}."""
    names = staff(services)
    return [
        {
            "version": one["version"],
            "at": datetime.fromisoformat(one["at"]),
            "who": names.get(one["by"], one["by"]),
            "changed": one["changed"],
        }
        for one in reversed(versions)
    ]


def staff(services: Services) -> dict[str, str]:
    """Account → address."""
    with services.read_console() as tx:
        return {str(one["user"]): str(one["email"]) for one in access.accounts(tx)}
