"""What somebody who proved an identifier may see and say about themselves, besides their consents: tags about them, and what they refuse.

Promise: each look is committed to the log before anything is read, each refusal in its own transaction; of somebody whom nobody knows there
is nothing, said in the same way. Names in the lake are handed to the reader that counts and shows one person, and to nobody else.
It must never put an identifier into a log, an address or an answer.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from privacy.consent import objections
from privacy.errors import Invalid
from privacy.identity import merging, normalise, pseudonyms, vault
from privacy.identity.keys import Keyring
from privacy.orm import Begin
from privacy.records import Clock, Log
from privacy.vocabulary import IdentifierType, LogKind

PROVABLE = (IdentifierType.PHONE, IdentifierType.EMAIL)
"""Identifiers to which a code can be sent."""
TAGS = (
    *("sex", "age_band", "occupation", "region", "tier", "recency_band", "frequency_band", "value_band", "stage", "previous_stage"),
    *("first_purchase_month", "again_band"),
)
"""What `person_month` says about somebody: each a tag that they may delete."""
LOOK, REFUSE, SEND = "choices.tags", "choices.refuse", "choices.send"


class Visits:
    """The door. Transactions are handed in; each call commits its own."""

    def __init__(self, *, begin_platform: Begin, read_platform: Begin, read_vault: Begin, keyring: Keyring, log: Log, clock: Clock) -> None:
        self._begin_platform, self._read_platform, self._read_vault = begin_platform, read_platform, read_vault
        self._keyring, self._log, self._clock = keyring, log, clock

    def normal(self, type_: str, value: str) -> str:
        """The normalised identifier; raises Invalid for what is none. Depends on what was typed and on nobody."""
        if type_ not in PROVABLE:
            raise Invalid("a code can be sent to a telephone number or an e-mail address", code="identifier_type", field="type")
        (normal,) = normalise.normalise(type_, pa.array([value], pa.string()), namespace="")[0].to_pylist()
        if normal is None:
            raise Invalid("the identifier is not of this type", code="bad_identifier", field="value")
        return str(normal)

    def known(self, people: Sequence[tuple[str, str]], *, actor: str) -> list[bool]:
        """Which normalised identifiers are somebody's, for whoever sends the codes."""
        with self._begin_platform() as tx:
            self._log(tx, LogKind.READ, SEND, actor=actor, facts={"count": len(people)})
        with self._read_vault() as tx:
            return [vault.lookup(tx, self._keyring, kind, value) is not None for kind, value in people]

    def look(self, type_: str, value: str, months: Sequence[int], *, actor: str) -> tuple[pa.Table | None, frozenset[str]]:
        """The names of a person in some months (`month`, `virtual_id`; None for nobody), and the tags that they refuse."""
        with self._begin_platform() as tx:
            self._log(tx, LogKind.READ, LOOK, actor=actor, facts={"identifier_type": type_, "months": len(months)})
        family = self._family(type_, value)
        if not family:
            return None, frozenset()
        with self._read_platform() as tx:
            refused = objections.of(tx, self._handles(family))
        joined = b"".join(family)
        names = [pseudonyms.virtual_ids(joined, self._keyring.block_cipher(pseudonyms.VIRTUAL_ID, str(month))) for month in months]
        columns = np.repeat(np.array(months, np.int32), len(family)), np.concatenate(names) if names else np.empty(0, np.int64)
        return pa.table({"month": pa.array(columns[0], pa.int32()), "virtual_id": pa.array(columns[1], pa.int64())}), refused

    def refuse(self, type_: str, value: str, tag: str, *, actor: str) -> None:
        """Notes that somebody refuses a tag, from now on."""
        if tag not in TAGS:
            raise Invalid("there is no such tag", code="tag_unknown", field="tag")
        family = self._family(type_, value)
        with self._begin_platform() as tx:
            self._log(tx, LogKind.CONSENT, REFUSE, actor=actor, facts={"identifier_type": type_, "count": int(bool(family))})
            if family:
                objections.add(tx, self._handles(family), tag, self._clock())

    def _family(self, type_: str, value: str) -> list[bytes]:
        with self._read_vault() as tx:
            person = vault.lookup(tx, self._keyring, type_, value)
            return [member.id for member in merging.family_of(tx, person)] if person else []

    def _handles(self, family: Sequence[bytes]) -> list[bytes]:
        cipher = self._keyring.block_cipher(pseudonyms.CONSENT_HANDLE)
        return [cipher(person) for person in family]
