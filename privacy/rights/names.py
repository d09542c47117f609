"""What the lake calls people in its months, as a table for whoever takes their rows out.

Promise: pure but for the keys it is given; a name says whose it is only by a place in the list that was handed in.
Must never learn: an identifier, or what the lake holds.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from privacy.identity import pseudonyms
from privacy.identity.keys import Keyring


def of(keyring: Keyring, groups: Sequence[Sequence[bytes]], months: Sequence[int]) -> pa.Table:
    """`month`, `virtual_id` and `number`, the place of a name's person in `groups` (each the ids that are held to be one person)."""
    people = b"".join(person for one in groups for person in one)
    owners = np.repeat(np.arange(len(groups)), [len(one) for one in groups])
    made = [pseudonyms.virtual_ids(people, keyring.block_cipher(pseudonyms.VIRTUAL_ID, str(month))) for month in months] if people else []
    return pa.table(
        {
            "month": pa.array(np.repeat(np.array(months, np.int32), len(owners) if people else 0)),
            "virtual_id": pa.array(np.concatenate(made) if made else np.empty(0, np.int64)),
            "number": pa.array(np.tile(owners, len(made)).astype(np.int64)),
        }
    )
