"""Whose file is this: names the recipient of a leaked list by its control rows, or by the pseudonyms that are that recipient's alone.

Promise: a look is an entry of the log before anything is compared; an answer names recipients and how many marks of each were found, and no
person. A sample proves a recipient only by what no other recipient was ever given and nobody else has: an address by which somebody is known
proves nothing. What a sample went through on its way (columns lost, rows in another order, other cases, telephones spelled otherwise, digests in
base64) hides no mark that is still in it. It must never keep the sample.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc
import sqlalchemy as sa

from privacy.accountability import dossiers
from privacy.errors import Invalid
from privacy.export import controlrows, law, leavers, requests
from privacy.identity import contacts, controls, pseudonyms
from privacy.identity.forms import book, shape
from privacy.identity.forms.shape import Choice
from privacy.identity.keys import Keyring
from privacy.identity.normalise import normalise

MOST_VALUES: Final = 5_000_000
_URL: Final = str.maketrans("+/", "-_")
Ids = Callable[[Sequence[bytes]], list[bytes]]
_SIGNS: Final = " \t\u00a0\u3000\ufeff'\"="
"""What spreadsheets and people put around a value."""
_APART: Final = r"[\s\-().·/]"
_TELEPHONE: Final = r"^(?:(?:\+|00)?86)?1[3-9][0-9]{9}$"
_BASE64: Final = r"^(?:[A-Za-z0-9+/\-_]{22}|[A-Za-z0-9+/\-_]{43})$"
"""A digest of sixteen or of thirty-two bytes, its = taken away with the other signs."""


def trace(tx: sa.Connection, vault_tx: sa.Connection, keyring: Keyring, sample: Sequence[pa.StringArray], ids: Ids) -> dict[str, Any]:
    """The recipients whose marks stand in the columns of a sample; `recipient` is the one, where there is exactly one."""
    if sum(len(column) for column in sample) > MOST_VALUES:
        raise Invalid("a sample has at most five million values", code="trace_too_large", field="file")
    found = controls.trace([_spelled(column) for column in sample], _marks(tx, vault_tx, keyring, ids))
    names = {paper.id: str(paper.content["key"]) for paper in dossiers.listing(tx, "recipient")}
    items = [
        {"recipient": one, "key": names.get(one, ""), "marks": number}
        for one, number in sorted(found.found.items(), key=lambda item: -item[1])
    ]
    return {"recipient": found.recipient, "found": items}


def _spelled(column: pa.StringArray) -> pa.StringArray:
    """The distinct values of a column, and what they may be spellings of."""
    plain = pc.unique(pc.utf8_trim(pc.utf8_normalize(column.drop_null(), form="NFKC"), characters=_SIGNS))
    bare = pc.replace_substring_regex(plain, _APART, "")
    telephones = normalise("phone", bare.filter(pc.match_substring_regex(bare, _TELEPHONE)), namespace="")[0]
    coded = plain.filter(pc.match_substring_regex(plain, _BASE64)).to_pylist()
    digests = pa.array([base64.urlsafe_b64decode(f"{one}==".translate(_URL)).hex() for one in coded], pa.string())
    return pa.concat_arrays([plain, telephones, digests])


def _marks(tx: sa.Connection, vault_tx: sa.Connection, keyring: Keyring, ids: Ids) -> Mapping[str, pa.StringArray]:
    """Recipient → every value that was only ever in its files."""
    marks = {
        recipient: _sent({kind: _nobodys(vault_tx, keyring, kind, values) for kind, values in kinds.items()})
        for recipient, kinds in controlrows.assigned(tx).items()
    }
    keys = {paper.id: str(paper.content["key"]) for paper in dossiers.listing(tx, "recipient")}
    for one in requests.of_form(tx, law.PSEUDONYMOUS):
        joined = b"".join(ids(leavers.of(tx, one.id, handed_out=True)))
        for epoch in keyring.versions("recipient"):
            key = keyring.mac_key(pseudonyms.RECIPIENT, keys[one.recipient], one.purpose, str(epoch), version=epoch)
            mine = pseudonyms.recipient_pseudonyms(key, joined)
            marks[one.recipient] = pa.concat_arrays([marks.get(one.recipient, pa.array([], pa.string())), mine])
    return {recipient: pc.unique(pc.utf8_lower(values)) for recipient, values in marks.items()}


def _nobodys(vault_tx: sa.Connection, keyring: Keyring, kind: str, values: pa.StringArray) -> pa.StringArray:
    """Without addresses by which somebody is known by now."""
    known = contacts.known(vault_tx, keyring, kind, values.to_pylist())
    return pa.array([one for one in values.to_pylist() if one not in known], pa.string())


def _sent(kinds: Mapping[str, pa.StringArray]) -> pa.StringArray:
    """Control addresses in every form in which they may have been sent, and in clear."""
    made = list(kinds.values())
    for form in book.FORMS.values():
        given = {kind: values for kind, values in kinds.items() if kind in form.sources}
        for kind, values in given.items():
            for digest in form.digests:
                filled = shape.fill(form, {kind: values}, Choice(digest=digest, constants=dict.fromkeys(form.constants, "-")))
                headers = [part.header for part in form.parts if part.source == kind and part.header in filled.table.column_names]
                made += [filled.table[header].combine_chunks().cast(pa.string()) for header in headers]
    return pa.concat_arrays([pa.array([], pa.string()), *[_flat(one).drop_null() for one in made]])


def _flat(column: Any) -> pa.StringArray:
    return pa.concat_arrays(column.chunks) if isinstance(column, pa.ChunkedArray) else column
