"""As much of OData 4.0 as a reading program needs: a service document, $metadata, $filter, $top, $skip, $count, $select, $orderby; JSON.

Promise: pure; it describes and cuts rows that it is given and reads nothing itself. What it does not know it refuses with a code, it never
ignores an option that would have changed the answer. A filter is parsed by a closed grammar into comparisons; nothing in it is evaluated.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from operator import eq, ge, gt, le, lt, ne
from typing import Any
from xml.sax.saxutils import quoteattr

from privacy.errors import Invalid

PAGE = 5_000
"""Rows of one answer; the next ones stand behind its @odata.nextLink."""
NAMESPACE = "Piying"
TYPES: Mapping[str, str] = {
    "id": "Edm.String", "month": "Edm.Date", "value": "Edm.Double", "low": "Edm.Double", "high": "Edm.Double", "margin": "Edm.Double",
    "epsilon": "Edm.Double", "delta": "Edm.Double", "rho_nano": "Edm.Int64", "release": "Edm.String",
}  # fmt: skip
"""The columns that every table has; its groupings stand between month and value and are strings."""
OPTIONS = frozenset({"$top", "$skip", "$filter", "$count", "$select", "$orderby", "$format"})
LONGEST_FILTER = 2_000

Row = Mapping[str, Any]
Test = Callable[[Row], bool]
_WORD = re.compile(
    r"\s*(?:(?P<text>'(?:[^']|'')*')|(?P<date>\d{4}-\d{2}-\d{2})|(?P<number>-?\d+(?:\.\d+)?)|(?P<name>[A-Za-z_]\w*)|(?P<sign>[()]))"
)
_COMPARE: Mapping[str, Callable[[Any, Any], bool]] = {"eq": eq, "ne": ne, "gt": gt, "ge": ge, "lt": lt, "le": le}


def columns(by: Sequence[str]) -> dict[str, str]:
    """The columns of a table with these groupings, and their types."""
    return {"id": TYPES["id"], "month": TYPES["month"], **dict.fromkeys(by, "Edm.String"), **TYPES}


def service(root: str, names: Sequence[str]) -> dict[str, Any]:
    """The service document."""
    return {"@odata.context": f"{root}/$metadata", "value": [{"name": name, "kind": "EntitySet", "url": name} for name in names]}


def metadata(tables: Mapping[str, Sequence[str]]) -> str:
    """$metadata: one entity type and one entity set a table, in CSDL."""
    types, sets = [], []
    for name, by in tables.items():
        held = "".join(
            f'<Property Name={quoteattr(column)} Type="{kind}" Nullable="false"{_facets(column)}/>' for column, kind in columns(by).items()
        )
        types.append(f'<EntityType Name={quoteattr(name + "_row")}><Key><PropertyRef Name="id"/></Key>{held}</EntityType>')
        sets.append(f"<EntitySet Name={quoteattr(name)} EntityType={quoteattr(f'{NAMESPACE}.{name}_row')}/>")
    return (
        '<?xml version="1.0" encoding="utf-8"?>\n'
        '<edmx:Edmx Version="4.0" xmlns:edmx="http://docs.oasis-open.org/odata/ns/edmx"><edmx:DataServices>'
        f'<Schema Namespace="{NAMESPACE}" xmlns="http://docs.oasis-open.org/odata/ns/edm">{"".join(types)}'
        f'<EntityContainer Name="Released">{"".join(sets)}</EntityContainer></Schema></edmx:DataServices></edmx:Edmx>\n'
    )


def _facets(column: str) -> str:
    return ' MaxLength="500"' if TYPES.get(column, "Edm.String") == "Edm.String" else ""


def answer(root: str, name: str, by: Sequence[str], rows: Sequence[Row], asked: Mapping[str, str]) -> dict[str, Any]:
    """The rows of an entity set that the options leave, with the count and the next page where they are wanted."""
    unknown = [option for option in asked if option not in OPTIONS]
    if unknown:
        raise Invalid(
            "the feed knows $top, $skip, $filter, $count, $select, $orderby and no other option", code="odata_unsupported", field="$"
        )
    if asked.get("$format", "json").split(";")[0] not in ("json", "application/json"):
        raise Invalid("the feed answers in JSON", code="odata_unsupported", field="$format")
    known = columns(by)
    found = [row for row in rows if test(row)] if (test := parsed(asked.get("$filter", ""), known)) else list(rows)
    total, skip = len(found), _whole(asked, "$skip", 0)
    found = _ordered(found, asked.get("$orderby", ""), known)
    top = _whole(asked, "$top", total)
    page = found[skip : skip + min(top, PAGE)]
    chosen = _chosen(asked.get("$select", ""), known)
    told: dict[str, Any] = {"@odata.context": f"{root}/$metadata#{name}" + (f"({','.join(chosen)})" if asked.get("$select") else "")}
    if _flag(asked.get("$count", "false")):
        told["@odata.count"] = total
    told["value"] = [{column: row[column] for column in chosen} for row in page]
    if len(page) == PAGE and skip + PAGE < min(total, skip + top):
        told["@odata.nextLink"] = _next(root, name, asked, skip + PAGE, top - PAGE)
    return told


def _next(root: str, name: str, asked: Mapping[str, str], skip: int, top: int) -> str:
    from urllib.parse import urlencode

    more = {**asked, "$skip": str(skip)} | ({"$top": str(top)} if "$top" in asked else {})
    return f"{root}/{name}?{urlencode(more)}"


def _whole(asked: Mapping[str, str], option: str, otherwise: int) -> int:
    text = asked.get(option, "")
    if not text:
        return otherwise
    if not (text.isascii() and text.isdigit() and len(text) <= 9):
        raise Invalid(f"{option} is a whole number", code="odata_invalid", field=option)
    return int(text)


def _flag(text: str) -> bool:
    if text not in ("true", "false"):
        raise Invalid("$count is true or false", code="odata_invalid", field="$count")
    return text == "true"


def _chosen(text: str, known: Mapping[str, str]) -> list[str]:
    names = [name.strip() for name in text.split(",")] if text and text != "*" else list(known)
    if any(name not in known for name in names):
        raise Invalid("the table has no such column", code="odata_invalid", field="$select")
    return names


def _ordered(found: list[Row], text: str, known: Mapping[str, str]) -> list[Row]:
    for part in reversed(text.split(",") if text else []):
        name, _, way = part.strip().partition(" ")
        if name not in known or way.strip() not in ("", "asc", "desc"):
            raise Invalid("rows are ordered by a column, asc or desc", code="odata_invalid", field="$orderby")
        found = sorted(found, key=lambda row: row[name], reverse=way.strip() == "desc")
    return found


# ── filters ────────────────────────────────────────────────────────────────────────────────────────────────────────────────────


def parsed(text: str, known: Mapping[str, str]) -> Test | None:
    """A filter as a test of one row: comparisons of a column with a constant, and, or, not, parentheses. None for an empty one."""
    if not text.strip():
        return None
    if len(text) > LONGEST_FILTER:
        raise _wrong()
    words: list[tuple[str, str]] = []
    at = 0
    while at < len(text.rstrip()):
        found = _WORD.match(text, at)
        if found is None:
            raise _wrong()
        words.append((str(found.lastgroup), found.group().strip()))
        at = found.end()
    reader = _Reader(words, known)
    test = reader.either(0)
    if reader.place != len(words):
        raise _wrong()
    return test


def _wrong() -> Invalid:
    return Invalid("a filter compares columns with constants: eq, ne, gt, ge, lt, le, and, or, not", code="odata_invalid", field="$filter")


class _Reader:
    """Descends the grammar; deeper than twenty parentheses is refused."""

    def __init__(self, words: Sequence[tuple[str, str]], known: Mapping[str, str]) -> None:
        self._words, self._known, self.place = words, known, 0

    def either(self, depth: int) -> Test:
        parts = [self._both(depth)]
        while self._take("or"):
            parts.append(self._both(depth))
        return parts[0] if len(parts) == 1 else lambda row: any(part(row) for part in parts)

    def _both(self, depth: int) -> Test:
        parts = [self._one(depth)]
        while self._take("and"):
            parts.append(self._one(depth))
        return parts[0] if len(parts) == 1 else lambda row: all(part(row) for part in parts)

    def _one(self, depth: int) -> Test:
        if depth > 20:
            raise _wrong()
        if self._take("not"):
            inner = self._one(depth + 1)
            return lambda row: not inner(row)
        if self._take("("):
            inside = self.either(depth + 1)
            if not self._take(")"):
                raise _wrong()
            return inside
        return self._comparison()

    def _comparison(self) -> Test:
        (kind, name), (_, sign), (form, constant) = self._next(), self._next(), self._next()
        if kind != "name" or name not in self._known or sign not in _COMPARE:
            raise _wrong()
        compare = _COMPARE[sign]
        if self._known[name] in ("Edm.Double", "Edm.Int64"):
            if form != "number":
                raise _wrong()
            number = float(constant)
            return lambda row: compare(row[name], number)
        if form != ("date" if self._known[name] == "Edm.Date" else "text"):
            raise _wrong()
        text = constant if form == "date" else constant[1:-1].replace("''", "'")
        return lambda row: compare(row[name], text)

    def _take(self, word: str) -> bool:
        if self.place < len(self._words) and self._words[self.place][1] == word and self._words[self.place][0] in ("name", "sign"):
            self.place += 1
            return True
        return False

    def _next(self) -> tuple[str, str]:
        if self.place >= len(self._words):
            raise _wrong()
        self.place += 1
        return self._words[self.place - 1]
