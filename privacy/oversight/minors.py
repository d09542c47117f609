"""Under-14s in the lake: what the check looks for, who must not be there (PIPL 31; law_rules L-1).

Promise: it answers with the lake's names of children for some months, or with nothing where there are none; that somebody looks is committed to the
log before. A name leads to nobody outside the vault.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import pyarrow as pa

from privacy.identity import pseudonyms, vault
from privacy.identity.keys import Keyring
from privacy.orm import Begin
from privacy.records import Log
from privacy.vocabulary import LogKind

LAKE_AGE = 14


def names(
    begin_platform: Begin, read_vault: Begin, keyring: Keyring, log: Log, *, today: date, months: Sequence[int], actor: str
) -> pa.Table | None:
    """`month` and `virtual_id` of every child in every month."""
    with begin_platform() as tx:
        log(tx, LogKind.READ, "control.minors", actor=actor, facts={"months": len(months)})
    with read_vault() as tx:
        children = [person for person, born in vault.youths(tx, keyring).items() if vault.age(born, today) < LAKE_AGE]
    if not children or not months:
        return None
    joined, columns = b"".join(children), []
    for month in months:
        ids = pseudonyms.virtual_ids(joined, keyring.block_cipher(pseudonyms.VIRTUAL_ID, str(month)))
        columns.append(pa.table({"month": pa.array([month] * len(children), pa.int32()), "virtual_id": pa.array(ids, pa.int64())}))
    return pa.concat_tables(columns)
