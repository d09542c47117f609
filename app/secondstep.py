"""Codes of an authenticator app (RFC 6238) and the recovery codes beside them, made and checked by flask-security.

Promise: a code counts once, also in its own half minute; secrets leave here sealed, but for the one page that shows one to its owner.
Learns no account and no address.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from io import BytesIO
from typing import Any, cast

from flask_security import Totp

SKEW_SECONDS = 30
"""How far a phone's clock may be off."""
RECOVERY_CODES = 10


class _Seen:
    """What flask-security calls a user: here only how far its codes were used."""

    def __init__(self, counter: int | None) -> None:
        self.counter = counter


class SecondStep(Totp):
    """flask-security's factory with a clock of ours and with what it leaves to its users: no code twice."""

    def __init__(self, secret: str, clock: Callable[[], datetime]) -> None:
        super().__init__({"1": secret}, "Piying")
        self._totp = self._totp.using(now=lambda: clock().timestamp())

    def get_last_counter(self, user: Any) -> int | None:
        """How far codes were used."""
        return cast("int | None", user.counter)

    def set_last_counter(self, user: Any, tmatch: Any) -> None:
        """They were used so far."""
        user.counter = tmatch.counter

    def propose(self) -> str:
        """A new secret, sealed."""
        return self.generate_totp_secret()

    def used_to(self, sealed: str, code: str, counter: int | None) -> int | None:
        """How far codes are used with this one, or None where it is not right or was used before."""
        seen = _Seen(counter)
        digits = "".join(code.split())
        right = digits.isascii() and digits.isdigit() and self.verify_totp(digits, sealed, cast(Any, seen), window=SKEW_SECONDS)
        return seen.counter if right else None

    def key(self, sealed: str) -> str:
        """The secret in groups of four, for typing it."""
        return self.get_totp_pretty_key(sealed)

    def picture(self, sealed: str, name: str) -> bytes:
        """What an authenticator scans, as an SVG file without style or script."""
        import qrcode
        from qrcode.image.svg import SvgPathImage

        drawn = BytesIO()
        qrcode.make(self.get_totp_uri(name, sealed), image_factory=SvgPathImage, border=4).save(drawn)
        return drawn.getvalue()

    def recovery_codes(self) -> list[str]:
        """Ten codes for the day the phone is gone."""
        return self.generate_recovery_codes(RECOVERY_CODES)
