"""Nothing is carried: somebody fetches what waits here, and notes when the recipient has it.

Promise: it is `offered` for as long as it takes, and put together only when it is fetched. Transport only.
"""

from __future__ import annotations

from privacy.carriage import Parcel, Sent

_WAITS = Sent("offered", "waits_to_be_fetched", reached=False)


class Fetched:
    """Where nobody pushes anything."""

    def look(self, key: str, name: str) -> Sent | None:
        """It waits."""
        return _WAITS

    def send(self, parcel: Parcel) -> Sent:
        """It waits."""
        return _WAITS
