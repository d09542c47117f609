"""Tombstones: which identifiers are of somebody erased, and since when one that was lifted counts again.

Promise: asked of every identifier that nobody remembers, in the transaction of the look-up; an identifier is known here only by its digest
under the tombstones' own key. Must never learn: whose identifier it was.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import sqlalchemy as sa

from privacy.identity import bulk, pseudonyms
from privacy.identity.keys import Keyring
from privacy.vocabulary import IdentifierType

_MARKED = "SELECT digest, lifted_at FROM tombstone WHERE digest IN ({keys})"


def keyed(key: pseudonyms.MacKey, types: Sequence[IdentifierType], values: Sequence[str]) -> list[bytes]:
    """Digests of identifiers that stand together by type."""
    made: list[bytes] = []
    while len(made) < len(values):
        kind = types[len(made)]
        end = len(made) + types.count(kind)
        made += pseudonyms.blind_index(key, kind, values[len(made) : end])
    return made


def tombstone_digests(keyring: Keyring, types: Sequence[IdentifierType], values: Sequence[str]) -> list[bytes]:
    """Digests of identifiers (by type together) under the tombstones' own key."""
    return keyed(keyring.mac_key(pseudonyms.TOMBSTONE), types, values)


def marks(
    tx: sa.Connection, keyring: Keyring, types: Sequence[IdentifierType], values: Sequence[str]
) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.int64]]:
    """Of each identifier whether it is of somebody erased; and, where that was lifted, the instant (µs) before which nothing of it counts."""
    digests = tombstone_digests(keyring, types, values)
    found = {bytes(digest): lifted for digest, lifted in bulk.select_in(tx, _MARKED, digests)}
    gone = np.fromiter((digest in found and found[digest] is None for digest in digests), bool, len(digests))
    begins = np.fromiter((found.get(digest) or 0 for digest in digests), np.int64, len(digests))
    return gone, begins
