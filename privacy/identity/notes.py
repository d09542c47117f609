"""Small secrets of a source that stand outside the vault: where a table was left, which files were taken.

Promise: implements `ingestion.cursors.Notes`. A place may be somebody's number, so it stands only sealed, under the newest key-encryption
key, bound to its source; it is sealed anew whenever it moves, so a rotation reaches it by itself. A mark is a keyed digest: equal for
equal bytes of one source, and nothing without the key. Must never learn: what the bytes mean, or a database.
"""

from __future__ import annotations

from typing import Final

from privacy.identity import pseudonyms, sealed
from privacy.identity.keys import Keyring
from privacy.records import RandomBytes

PLACE: Final = sealed.Place("pull_cursor", "sealed")
_MARKS: Final = "pull"
_FIRST: Final = 1
"""Marks stay under the first version of their key: a file that was taken must be known again after a rotation."""


class SourceNotes:
    """Seals and marks under a deployment's keys."""

    def __init__(self, keyring: Keyring, random: RandomBytes) -> None:
        self._keyring = keyring
        self._random = random

    def seal(self, owner: str, value: bytes) -> bytes:
        """The value, sealed for its owner."""
        version, key = self._keyring.key("kek")
        cipher = sealed.aead(key, self._keyring.profile.sealing)
        return sealed.seal(cipher, version, PLACE, owner.encode(), self._random(sealed.NONCE_BYTES), value)

    def open(self, owner: str, value: bytes) -> bytes:
        """What was sealed for this owner; raises Locked for anything else."""
        _, key = self._keyring.key("kek", sealed.version_of(value)[1])
        return sealed.unseal(key, PLACE, owner.encode(), value)

    def mark(self, owner: str, value: bytes) -> bytes:
        """A keyed digest of 32 bytes."""
        key = self._keyring.mac_key(pseudonyms.MESSAGE, _MARKS, owner, version=_FIRST)
        return pseudonyms.macs(key, [value])[0]
