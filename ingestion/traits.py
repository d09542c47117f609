"""What somebody's traits come to: fields of a member, identifiers, and what is left behind, under the names that senders use.

Promise: the law's words come first: a trait of a forbidden category or about a child refuses its row before anything asks for its form.
A name that the dictionary does not know is counted by path. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ingestion import strictjson, surplus
from ingestion.commerce import SEX, TRAIT_FIELDS, TRAIT_IDENTIFIERS, TRAITS_LEFT_BEHIND, Unreadable
from privacy.dictionary.catalogue import snake
from privacy.vocabulary import FormRule, Reason

if TYPE_CHECKING:
    from privacy.dictionary.catalogue import Catalogue


@dataclass(slots=True)
class Traits:
    """Fields of the record `member`, identifiers by type, unknown names by path, and the reason that refuses the row, if any."""

    fields: dict[str, Any] = field(default_factory=dict)
    identifiers: dict[str, str] = field(default_factory=dict)
    dropped: dict[str, int] = field(default_factory=dict)
    refuse: str | None = None


def of(values: Mapping[str, Any], catalogue: Catalogue, *, place: str) -> Traits:
    """Sorts the traits that stand at `place` of a message."""
    found = Traits()
    for key, value in values.items():
        if value is not None and value != "":
            _take(found, key, value, catalogue, place)
    return found


def _take(found: Traits, key: str, value: Any, catalogue: Catalogue, place: str) -> None:
    record = catalogue.record("member")
    name = snake(key)
    target = TRAIT_FIELDS.get(name, name)
    kind = TRAIT_IDENTIFIERS.get(name)
    entry = record.fields.get(target)
    if surplus.names_forbidden(catalogue.forbidden, key) or surplus.nested_forbidden(catalogue.forbidden, value):
        found.refuse = Reason.FORBIDDEN_CATEGORY.value
    elif target in record.child_fields:
        found.refuse = found.refuse or Reason.CHILD_FIELD.value
    elif kind is not None:
        if not isinstance(value, (str, int)) or isinstance(value, bool):
            raise Unreadable(f"{place}.{kind}", FormRule.WRONG_TYPE)
        found.identifiers[kind] = str(value)
    elif entry is not None and target != record.time and (not entry.dropped or target in record.sensitive_fields):
        found.fields[target] = SEX.get(str(value).strip().lower(), value) if target == "sex" else value
    elif name not in TRAITS_LEFT_BEHIND:
        path = strictjson.safe_path([place, key])
        found.dropped[path] = found.dropped.get(path, 0) + 1
