"""What staff sign in with, wired: the hasher of passwords, second steps, the secret of cookies."""

from __future__ import annotations

import secrets
from functools import cached_property
from typing import TYPE_CHECKING

from app.signin import Hasher
from app.wiring.doors import Doors
from privacy.identity import pseudonyms

if TYPE_CHECKING:
    from app.secondstep import SecondStep


class Entrance(Doors):
    """What the console's sign-in needs."""

    @cached_property
    def hasher(self) -> Hasher:
        """argon2id with the parameters that RFC 9106 recommends where memory is small (64 MiB, three passes)."""
        import argon2

        return argon2.PasswordHasher.from_parameters(argon2.profiles.RFC_9106_LOW_MEMORY)

    @cached_property
    def second_step(self) -> SecondStep:
        """Makes and checks codes; their secrets are sealed with a key out of the key file."""
        from app.secondstep import SecondStep

        return SecondStep(self.console_secret("second step").hex(), self.clock)

    @cached_property
    def nobodys_hash(self) -> str:
        """The hash of a password that nobody has: what an unknown address is compared with."""
        return self.hasher.hash(secrets.token_hex(16))

    def console_mac(self, kind: str, who: str) -> bytes:
        """A keyed digest under which somebody is counted, or a recovery code is known."""
        return pseudonyms.macs(self.open_keyring().mac_key(pseudonyms.CONSOLE_ENTRANCE), [f"{kind}\0{who}".encode()])[0]

    def console_secret(self, part: str) -> bytes:
        """A secret of the console out of the key file, the same in every process; while keys are locked one that opens nothing."""
        if self.lock is not None:
            return secrets.token_bytes(32)
        return pseudonyms.macs(self.open_keyring().mac_key(pseudonyms.CONSOLE_ENTRANCE), [f"secret\0{part}".encode()])[0]
