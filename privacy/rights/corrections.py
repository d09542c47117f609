"""Corrections at the desk, and requests that come without an officer: the two acts for which a value is typed.

Promise: a value comes in an argument, is normalised, sealed in the vault and forgotten; the register and the log know its type and what was
done. Somebody whom nobody knows gets a request by the same steps and in the same time as somebody known. Must never put a value into the
register, the log or an error.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from typing import Any

import pyarrow as pa

from privacy.errors import Invalid, NotFound
from privacy.identity import correction, merging, pseudonyms, vault
from privacy.identity.normalise import normalise
from privacy.rights.copies import Copies
from privacy.rights.register import Request
from privacy.vocabulary import IdentifierType, Right, Step

BIRTH_DATE = "birth_date"


class Corrections(Copies):
    """The whole door of requests. `correcting` is told of the people of whom something is corrected before the vault commits it: whoever holds
    the old value has to let go of it, also if this process dies at once."""

    def __init__(self, *, correcting: Callable[[Sequence[bytes]], object] = tuple, **copies: Any) -> None:
        super().__init__(**copies)
        self._correcting = correcting

    def open_unseen(
        self, type_: str, value: str, *, right: str, regime: str, language: str, channel: str, actor: str,
        namespace: str = "", purposes: Sequence[str] = (), proven_by: str = "",
    ) -> str:  # fmt: skip
        """Opens a request for whoever has an identifier, known or not; tells its number and nothing else (attack 55)."""
        kind, normal = _normalised(type_, value, namespace)
        with self._read_vault() as tx:
            person = vault.lookup(tx, self._keyring, kind, normal)
        handle = None if person is None else pseudonyms.handles(person, self._keyring.block_cipher(pseudonyms.CONSOLE_HANDLE)).hex()
        made = self.open(
            handle, right=right, regime=regime, language=language, channel=channel, actor=actor, detail=purposes, proven_by=proven_by
        )
        return str(made["number"])

    def correct(self, number: str, *, type_: str, ref: str, value: str, namespace: str, actor: str) -> dict[str, Any]:
        """Replaces the identifier that `ref` names by a value, removes it (no value), adds one (no ref), or sets the birth date."""
        one = self._one(number)
        if one.right is not Right.CORRECTION or one.place is not Step.DELIVER:
            raise Invalid("only a correction that was decided changes a value", code="request_step", field="request")
        self._wards.check(self._person(one), "request.corrected", actor)
        done = self._birth(one, value) if type_ == BIRTH_DATE else self._identifier(one, type_, ref, value, namespace)
        return self.noted(number, "corrected", {"type": type_, "change": done}, actor=actor)

    def _identifier(self, one: Request, type_: str, ref: str, value: str, namespace: str) -> str:
        new = _normalised(type_, value, namespace)[1] if value.strip() else None
        if not ref and new is None:
            raise Invalid("a correction names the identifier, or its new value", code="bad_identifier", field="value")
        with self._begin_vault() as tx:
            family = merging.family_of(tx, self._person(one))
            if not family:
                raise NotFound("no such person", code="person_unknown", field="request")
            old = None
            if ref:
                held = vault.identifiers_of(tx, self._keyring, family[0].id)
                found = [(kind, kept) for kind, kept in held if self._reference(kind, kept) == ref]
                if not found or found[0][0] != type_:
                    raise NotFound("no such identifier of this person", code="identifier_unknown", field="ref")
                old = found[0][1]
            done = correction.correct(
                tx, self._keyring, family, IdentifierType(type_), old, new, now=self._clock(), random=self._random
            )  # fmt: skip
            if done != correction.NOTHING:
                self._correcting([member.id for member in family])
        return done

    def _birth(self, one: Request, value: str) -> str:
        try:
            born = date.fromisoformat(value.strip())
        except ValueError:
            raise Invalid("a birth date is written YYYY-MM-DD", code="bad_day", field="value") from None
        if not date(1900, 1, 1) <= born <= self.today():
            raise Invalid("a birth date lies in the past", code="bad_day", field="value")
        with self._begin_vault() as tx:
            family = merging.family_of(tx, self._person(one))
            if not family:
                raise NotFound("no such person", code="person_unknown", field="request")
            people = [member.id for member in family]
            vault.set_birth(tx, self._keyring, people, [born] * len(people), today=self.today(), random=self._random)
            self._correcting(people)
        return correction.REPLACED


def _normalised(type_: str, value: str, namespace: str) -> tuple[str, str]:
    """Type and normalised value; whoever mistypes is told the rule and nothing is looked up."""
    if type_ not in set(IdentifierType):
        raise Invalid("no such type of identifier", code="identifier_type", field="type")
    found, _ = normalise(type_, pa.array([value], pa.string()), namespace=namespace)
    normal = found.to_pylist()[0]
    if normal is None:
        raise Invalid("the identifier is not of this type", code="bad_identifier", field="value")
    return type_, normal
