"""The short-lived keys that admission computes with: a month's row keys, an epoch's message keys.

Promise: such a key exists in the vault until its time, in memory at most an hour longer, and is derived from nothing, so that deleting its
row ends every link it made (law_rules E-9). Learns which month or epoch a key is for, and nothing else.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

import numpy as np
import pyarrow as pa

from privacy.identity import ephemeral, pseudonyms
from privacy.identity.keys import Keyring
from privacy.identity.pseudonyms import BlockCipher
from privacy.orm import Begin
from privacy.records import RandomBytes

EPOCH: Final = timedelta(days=30)
"""Length of an epoch of message keys; a key lives one epoch longer, so that the dedupe window of thirty days never breaks."""
_AT_MOST: Final = timedelta(hours=1)
"""How long a key is remembered before the vault is asked again whether it still exists."""
_SOON: Final = timedelta(minutes=1)
"""How long it is remembered that no clock was ahead."""
_START: Final = datetime(1970, 1, 1, tzinfo=UTC)


class MonthKeys:
    """Gives keys by month or epoch, made on first use and remembered until they are destroyed."""

    def __init__(self, keyring: Keyring, begin_vault: Begin, read_vault: Begin, random: RandomBytes) -> None:
        self._keyring = keyring
        self._begin = begin_vault
        self._read = read_vault
        self._random = random
        self._held: dict[str, tuple[bytes, datetime]] = {}

    def row_macs(self, kind: str, values: pa.StringArray, months: pa.Int32Array, *, now: datetime) -> pa.Int64Array:
        """Order keys and visits: CMACs under the key of each row's data month and of the column's own name; null stays null."""
        month = months.to_numpy(zero_copy_only=False)
        distinct = np.unique(month)
        if len(distinct) == 1:
            return pseudonyms.row_macs(self._row_cipher(kind, int(distinct[0]), now), values)
        made = np.zeros(len(values), np.int64)
        for one in distinct.tolist():
            rows = month == one
            macs = pseudonyms.row_macs(self._row_cipher(kind, one, now), values.filter(pa.array(rows)))
            made[rows] = macs.fill_null(0).to_numpy(zero_copy_only=False)
        return pa.array(made, mask=np.asarray(values.is_null().to_numpy(zero_copy_only=False), bool))

    def message_ciphers(self, now: datetime, source_id: str) -> tuple[BlockCipher, Sequence[BlockCipher]]:
        """The ciphers of a source's message digests: of this epoch, and of those beside it whose keys exist.

        The epoch before covers the window; the one after was made by a clock that was set back since, and what it knew is known.
        """
        epoch = (now - _START) // EPOCH
        ends = _START + (epoch + 1) * EPOCH
        current = self._key(f"message:{epoch}", ends + EPOCH, now)
        beside = (
            self._found(f"message:{epoch - 1}", min(ends, now + _AT_MOST), now),
            self._found(f"message:{epoch + 1}", now + _SOON, now),
        )
        return self._cipher(current, pseudonyms.MESSAGE, source_id), [
            self._cipher(key, pseudonyms.MESSAGE, source_id) for key in beside if key
        ]

    def _found(self, name: str, until: datetime, now: datetime) -> bytes:
        """A key that exists, else nothing; the answer is remembered until then."""
        held = self._remembered(name, now)
        if held is None:
            with self._read() as tx:
                held = ephemeral.find_ephemeral_key(tx, self._keyring, name) or b""
            self._held[name] = (held, until)
        return held

    def _row_cipher(self, kind: str, month: int, now: datetime) -> BlockCipher:
        year, number = divmod(month, 100)
        after = datetime(year + number // 12, number % 12 + 1, 1, tzinfo=UTC)
        return self._cipher(self._key(f"row:{month}", max(after, now) + EPOCH, now), pseudonyms.ROW, kind)

    def _cipher(self, key: bytes, label: str, part: str) -> BlockCipher:
        """The block cipher under a key of this key's own for one column or source."""
        profile = self._keyring.profile
        return profile.permutation(profile.derive(key, label, part))

    def _key(self, name: str, destroy_after: datetime, now: datetime) -> bytes:
        held = self._remembered(name, now)
        if held:
            return held
        with self._begin() as tx:
            key = ephemeral.ephemeral_key(tx, self._keyring, name, destroy_after=destroy_after, random=self._random, now=now)
        self._held[name] = (key, min(destroy_after, now + _AT_MOST))
        return key

    def _remembered(self, name: str, now: datetime) -> bytes | None:
        """A key that was read a moment ago. Whatever is older is forgotten, asked for or not."""
        for each in [each for each, (_, until) in list(self._held.items()) if until <= now]:
            self._held.pop(each, None)
        held = self._held.get(name)
        return None if held is None else held[0]
