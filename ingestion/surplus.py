"""What a source sent beyond what it was asked for: unknown fields are counted by path, forbidden ones refuse the row.

Promise: only names are looked at and whether they hold something; a name is shown only when it reads like a field's name, because keys
and headers can carry people, too. Pure.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from collections.abc import Mapping as Dict
from functools import lru_cache
from itertools import chain
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from ingestion.columns import tidy
from ingestion.source import INTERNAL_COLUMNS
from ingestion.strictjson import safe_path
from privacy.vocabulary import Reason

if TYPE_CHECKING:
    from ingestion.mapping import FileMapping
    from privacy.dictionary.catalogue import Catalogue, Record


def of_table(table: pa.Table, mapping: FileMapping, catalogue: Catalogue, record: Record) -> tuple[pa.Array | None, dict[str, int]]:
    """Rows with forbidden columns, and how often each unknown column held something."""
    forbidden: pa.Array | None = None
    dropped: dict[str, int] = {}
    known = set(mapping.columns) | INTERNAL_COLUMNS
    for name in table.column_names:
        if record.people and name not in INTERNAL_COLUMNS and names_forbidden(catalogue.forbidden, name):
            held = pc.is_valid(tidy(table.column(name).combine_chunks()))
            forbidden = held if forbidden is None else pc.or_(forbidden, held)
        if name not in known and name not in mapping.ignore:
            column = table.column(name)
            number = len(column) - column.null_count - (pc.sum(pc.equal(column, "")).as_py() or 0)
            if number:
                dropped[_shown(name)] = dropped.get(_shown(name), 0) + number
    return _reasons(forbidden), dropped


def of_items(
    items: Sequence[Dict[str, Any]], mapping: FileMapping, catalogue: Catalogue, record: Record
) -> tuple[pa.Array | None, dict[str, int]]:
    """The same for JSON objects, by their outermost keys; a path of the mapping knows its first step."""
    keys = Counter(chain.from_iterable(items))
    known = set(mapping.columns) | {column.split(".")[0] for column in mapping.columns}
    dropped: Counter[str] = Counter()
    for key, number in keys.items():
        if key not in known and key not in mapping.ignore:
            dropped[safe_path([key])] += number
    if not record.people:
        return None, dict(dropped)
    names = [key for key in keys if names_forbidden(catalogue.forbidden, key)]
    nested = any(isinstance(value, (dict, list)) for item in items for value in item.values())
    if not names and not nested:
        return None, dict(dropped)
    marks = [
        any(item.get(name) not in (None, "") for name in names) or (nested and nested_forbidden(catalogue.forbidden, item))
        for item in items
    ]
    return _reasons(pa.array(marks, pa.bool_())), dict(dropped)


def nested_forbidden(forbidden: Callable[[str], str | None], item: Any) -> bool:
    stack = [item]
    while stack:
        node = stack.pop()
        if isinstance(node, dict):
            for key, value in node.items():
                if names_forbidden(forbidden, key) and value not in (None, ""):
                    return True
                if isinstance(value, (dict, list)):
                    stack.append(value)
        elif isinstance(node, list):
            stack.extend(value for value in node if isinstance(value, (dict, list)))
    return False


@lru_cache(maxsize=8192)
def names_forbidden(forbidden: Callable[[str], str | None], name: str) -> bool:
    return forbidden(name) is not None


def _shown(column: str) -> str:
    """A column of a file that has every column its mapping names: its header is a header, so its words may be shown, within bounds."""
    shown = safe_path([column])
    harmless = shown == "?" and len(column) <= 64 and column.isprintable() and "@" not in column and sum(map(str.isdigit, column)) < 5
    return column if harmless else shown


def _reasons(marked: pa.Array | None) -> pa.Array | None:
    if marked is None or not pc.any(marked).as_py():
        return None
    return pc.if_else(marked, pa.scalar(str(Reason.FORBIDDEN_CATEGORY), pa.string()), pa.scalar(None, pa.string()))
