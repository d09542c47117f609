"""The seal of uploaded files: blocks under one random key a parcel, which dies with the parcel.

Promise: a block opens only in its parcel and at its place, so blocks cannot be swapped, repeated or carried over; when the key is
destroyed, whatever is left of the file on any disk or backup is noise. The time of destruction is set when the key is made.
Must never learn: what is in a file, or where it lies.
"""

from __future__ import annotations

from datetime import datetime

from privacy import errors
from privacy.identity import sealed
from privacy.identity.ephemeral import destroy_ephemeral_key, ephemeral_key, find_ephemeral_key
from privacy.identity.keys import Keyring
from privacy.orm import Begin
from privacy.records import Clock, RandomBytes

PLACE = sealed.Place("parcel", "block")
OVERHEAD = sealed.HEADER.size + sealed.NONCE_BYTES + sealed.TAG_BYTES
"""Bytes that a sealed block is longer than its content."""


class ParcelSeal:
    """Seals and opens the blocks of parcels; their keys stand wrapped in the vault."""

    def __init__(self, begin_vault: Begin, read_vault: Begin, keyring: Keyring, *, clock: Clock, random: RandomBytes) -> None:
        self._begin, self._read, self._keyring, self._clock, self._random = begin_vault, read_vault, keyring, clock, random
        self._cipher: tuple[str, sealed.Aead] | None = None

    def open_parcel(self, parcel: str, destroy_after: datetime) -> None:
        """Makes the parcel's key, if it has none yet."""
        with self._begin() as tx:
            ephemeral_key(tx, self._keyring, _name(parcel), destroy_after=destroy_after, random=self._random, now=self._clock())

    def seal(self, parcel: str, offset: int, block: bytes) -> bytes:
        """A block of the parcel, sealed for its place; raises NotFound if the parcel's key is gone."""
        cipher = self._of(parcel)
        return sealed.seal(cipher, sealed.DATA_KEY_VERSION, PLACE, _owner(parcel, offset), self._random(sealed.NONCE_BYTES), block)

    def unseal(self, parcel: str, offset: int, block: bytes) -> bytes:
        """The content of a block; raises NotFound if the parcel's key is gone, Locked if the block was changed or moved."""
        return sealed.unseal_with(self._of(parcel), PLACE, _owner(parcel, offset), block)

    def destroy(self, parcel: str) -> None:
        """Destroys the parcel's key; twice is no error."""
        self._cipher = None
        with self._begin() as tx:
            destroy_ephemeral_key(tx, _name(parcel))

    def _of(self, parcel: str) -> sealed.Aead:
        known = self._cipher
        if known is not None and known[0] == parcel:
            return known[1]
        with self._read() as tx:
            key = find_ephemeral_key(tx, self._keyring, _name(parcel))
        if key is None:
            raise errors.NotFound("the uploaded file is gone", code="upload_gone")
        cipher = sealed.aead(key, self._keyring.profile.sealing)
        self._cipher = (parcel, cipher)
        return cipher


def _name(parcel: str) -> str:
    return f"upload:{parcel}"


def _owner(parcel: str, offset: int) -> bytes:
    return parcel.encode() + offset.to_bytes(8, "big")
