"""The pseudonymous table: what a partner gets who needs rows and no addresses.

Promise: the first column is the recipient's own virtual ID of each person (`pseudonyms.recipient_pseudonyms`: another recipient, purpose or
epoch, another value), after it stand exactly the approved columns in their approved order and none else; rows stand in the order of the
pseudonyms, which is another order for every recipient. No identifier is among the columns. A pseudonymous table remains personal
information (PIPL 73(3)), so its risk is on its manifest (`deidentify.risk`).
Must never learn: an identifier, a key. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from privacy import errors
from privacy.identity.forms.shape import Action
from privacy.vocabulary import IdentifierType

PSEUDONYM: Final = "person"
ACTION: Final = "action"
_NEVER: Final = frozenset({*IdentifierType, PSEUDONYM, ACTION, "person_id", "virtual_id", "name", "first_name", "last_name", "address"})


def table(pseudonyms: pa.StringArray, columns: Mapping[str, pa.Array], approved: Sequence[str]) -> pa.Table:
    """The partner's table; a column outside the approval, or one that is an identifier by name, stops it (attack 51)."""
    for name in columns:
        if name not in approved:
            raise errors.Refused("The column is not among those that were approved.", code="column_not_approved", field=name)
        if name in _NEVER:
            raise errors.Refused("A pseudonymous table carries no identifier.", code="column_is_identifier", field=name)
    if {len(values) for values in columns.values()} - {len(pseudonyms)}:
        raise errors.Invalid("The columns of a form have one length.", code="form_columns_uneven")
    made = pa.table({PSEUDONYM: pseudonyms, **{name: columns[name] for name in approved if name in columns}})
    return made.take(pc.sort_indices(pseudonyms))


def removal(pseudonyms: pa.StringArray) -> pa.Table:
    """A suppression in the partner's own form: the pseudonyms to delete, and the word."""
    ordered = pc.take(pseudonyms, pc.sort_indices(pseudonyms))
    return pa.table({PSEUDONYM: ordered, ACTION: pa.repeat(pa.scalar(Action.REMOVE.value), len(ordered))})
