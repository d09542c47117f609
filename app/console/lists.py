"""Lists as pages show them: filters out of the address, rows with their columns, a CSV of exactly the rows that matched.

Promise: an address never carries what looks like an identifier; a file begins with a BOM, follows RFC 4180, has stable English keys and
no cell that a spreadsheet would run as a formula. Learns rows that the page may show anyway, and nothing more.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any, Literal

from flask import Response
from werkzeug.datastructures import MultiDict

from privacy.cells import safe
from privacy.errors import Invalid

MOST_ROWS = 100_000
"""Rows of one CSV, unless a page says less; the button tells it before."""

_OURS = re.compile(r"[a-z]{2,4}_[A-Za-z0-9_-]+\Z")
_DIGITS = re.compile(r"\d[\d\s().\-+]*\d")

Kind = Literal["text", "verbatim", "code", "number", "money", "share", "instant", "day", "badge", "list", "flag"]


@dataclass(frozen=True, slots=True)
class Column:
    """A column: `key` names the row's entry and the CSV's column, `label` is marked with N_, `href` names the row's entry with an address."""

    key: str
    label: str
    kind: Kind = "text"
    href: str = ""
    shown: bool = True


@dataclass(frozen=True, slots=True)
class Filter:
    """A filter of a list, named as it stands in the address. A choice is (value, label); labels are marked with N_."""

    name: str
    label: str
    kind: Literal["text", "choice", "date", "flag"] = "text"
    choices: tuple[tuple[str, str], ...] = ()
    translate: bool = True
    """False where the choices are names of things rather than words."""

    def word(self, value: str) -> str:
        """The label of a value."""
        return dict(self.choices).get(value, value)


@dataclass(frozen=True, slots=True)
class Empty:
    """What a list says before its first row: what belongs here, and one thing to do."""

    title: str
    text: str = ""
    href: str = ""
    action: str = ""


@dataclass(slots=True)
class Listing:
    """What the macro `listing` shows. `total` is None where nobody counted; `next` is the cursor of the next page; `csv` the file's path."""

    columns: Sequence[Column]
    rows: Sequence[Mapping[str, Any]]
    caption: str
    filters: Sequence[Filter] = ()
    applied: Mapping[str, str] = field(default_factory=dict)
    total: int | None = None
    next: str | None = None
    csv: str = ""
    csv_cap: int = MOST_ROWS
    empty: Empty | None = None
    error: str = ""

    @property
    def shown(self) -> list[Column]:
        return [column for column in self.columns if column.shown]

    @property
    def csv_rows(self) -> int | None:
        """How many rows the file will have."""
        return None if self.total is None else min(self.total, self.csv_cap)


# ── the address ────────────────────────────────────────────────────────────────────────────────────────────────────────────────


def identifier_like(text: str) -> bool:
    """Whether a text could be somebody's telephone, e-mail, card or identity number. Our own ids, which begin with a prefix, are not."""
    text = text.strip()
    if _OURS.match(text) or _is_day(text):
        return False
    return "@" in text or any(len(re.sub(r"\D", "", found)) >= 7 for found in _DIGITS.findall(text))


def parse(args: MultiDict[str, str], filters: Sequence[Filter]) -> dict[str, str]:
    """The filters that an address sets; raises Invalid (bad_filter, identifier_in_address) naming the filter, never what was sent."""
    applied = {}
    for one in filters:
        value = args.get(one.name, "").strip()
        if value:
            _check(one, value)
            applied[one.name] = value
    return applied


def _check(one: Filter, value: str) -> None:
    if one.kind == "choice" and value not in dict(one.choices):
        raise Invalid("the filter has no such choice", code="bad_filter", field=one.name)
    if one.kind == "flag" and value != "1":
        raise Invalid("the filter is set or not", code="bad_filter", field=one.name)
    if one.kind == "date" and not _is_day(value):
        raise Invalid("a day is written YYYY-MM-DD", code="bad_filter", field=one.name)
    if one.kind == "text" and len(value) > 200:
        raise Invalid("the filter's text is too long", code="bad_filter", field=one.name)
    if one.kind == "text" and identifier_like(value):
        raise Invalid("an address carries no identifier: look people up by a look-up", code="identifier_in_address", field=one.name)


def _is_day(text: str) -> bool:
    try:
        return len(text) == 10 and bool(date.fromisoformat(text))
    except ValueError:
        return False


# ── the file ───────────────────────────────────────────────────────────────────────────────────────────────────────────────────


def csv_of(columns: Sequence[Column], rows: Iterable[Mapping[str, Any]], filename: str, *, cap: int = MOST_ROWS) -> Response:
    """The rows as a file to download, streamed; instants are ISO 8601 in UTC."""
    answer = Response(_lines(columns, rows, cap), mimetype="text/csv")
    answer.headers["Content-Disposition"] = f'attachment; filename="{re.sub(r"[^A-Za-z0-9._-]", "-", filename)}"'
    return answer


def _lines(columns: Sequence[Column], rows: Iterable[Mapping[str, Any]], cap: int) -> Iterator[bytes]:
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\r\n")
    writer.writerow([column.key for column in columns])
    yield b"\xef\xbb\xbf"
    for position, row in enumerate(rows):
        if position >= cap:
            break
        writer.writerow([cell(row.get(column.key)) for column in columns])
        if buffer.tell() > 32_768:
            yield _taken(buffer)
    yield _taken(buffer)


def _taken(buffer: io.StringIO) -> bytes:
    text = buffer.getvalue()
    buffer.seek(0)
    buffer.truncate()
    return text.encode()


def cell(value: Any) -> str:
    """A value as a cell that no spreadsheet takes for a formula; numbers stay numbers."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(value)
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, list | tuple | set | frozenset):
        value = "; ".join(str(one) for one in value)
    return safe(str(value))
