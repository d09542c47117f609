"""The dictionary's treatments on columns: link, band, truncate, generalise, scrub, keep.

Promise: `apply` gives exactly the lake's columns; a field whose purposes are not allowed for a row is null there, a field nobody
allowed is null everywhere, and an open word that carries a direct identifier is null too. Texts left out in doubt are counted. Pure:
links and the scrubber come in as arguments. It must never learn a key, a person or an identifier.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from privacy import errors
from privacy.deidentify.freetext import identifying
from privacy.deidentify.generalise import generalise
from privacy.dictionary.catalogue import SYSTEM_COLUMNS, Becomes, Catalogue, Field, Record
from privacy.vocabulary import Reason

Link = Callable[[str, pa.StringArray, pa.Int32Array], pa.Int64Array]
"""(kind: the lake column, values, data months) → keyed values of the month; null stays null."""

Scrub = Callable[[pa.StringArray], tuple[pa.StringArray, pa.BooleanArray]]
"""Text → scrubbed text or null, and whether the scrubber was unsure."""

Allowed = Mapping[str, "pa.BooleanArray | bool"]
"""Record field → rows in which one of its purposes is allowed. A field that is missing here is allowed nowhere."""

_HOUR = 3_600_000_000


@dataclass(frozen=True, slots=True)
class Treated:
    """The lake's columns, and in how many rows the scrubber's doubt left a text out, by `record.field:reason`."""

    rows: pa.Table
    doubted: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class _Means:
    """What a treatment may use."""

    catalogue: Catalogue
    times: pa.TimestampArray
    zone: str
    link: Link
    scrub: Scrub


def apply(
    catalogue: Catalogue,
    table: str,
    record: str,
    fields: pa.Table,
    times: pa.TimestampArray,
    *,
    zone: str,
    link: Link,
    scrub: Scrub,
    allowed: Allowed | None,
) -> Treated:
    """The lake columns of `table` for rows of `record`, without those that admission and writer add (SYSTEM_COLUMNS).

    `allowed` is None only for records without people. The record's time is always kept: a row without one cannot enter.
    """
    kind = catalogue.record(record)
    if kind.people and allowed is None:
        raise errors.Refused("a record about people needs to know what is allowed", code="purpose_unknown")
    feeds = {b.column: (f, b) for f, b in kind.feeds(table)}
    means = _Means(catalogue, times, zone, link, scrub)
    columns = {}
    doubted: dict[str, int] = {}
    for column in catalogue.arrow_schema(table):
        if column.name in SYSTEM_COLUMNS:
            continue
        if column.name not in feeds:
            columns[column.name] = pa.nulls(fields.num_rows, column.type)
            continue
        f, becomes = feeds[column.name]
        values = times if f.name == kind.time else _allowed(_column(fields, f), f, kind, allowed)
        treated = _treat(means, f, becomes, values)
        if becomes.treatment == "scrub" and (doubts := treated.null_count - values.null_count):
            doubted[f"{record}.{f.name}:{Reason.TEXT_LOW_CONFIDENCE}"] = doubts
        columns[column.name] = treated if treated.type == column.type else pc.cast(treated, column.type)
    return Treated(pa.table(columns), doubted)


def local_month(times: pa.TimestampArray, zone: str) -> pa.Int32Array:
    """YYYYMM in the controller's zone."""
    return _year_month(_local(times, zone))


def local_hour(times: pa.TimestampArray, zone: str) -> pa.TimestampArray:
    """The beginning of the hour, by the clock of the controller's zone, as a UTC instant."""
    valid = pc.is_valid(times)
    utc = np.asarray(pc.fill_null(pc.cast(times, pa.int64()), 0))
    local = np.asarray(pc.fill_null(pc.cast(_local(times, zone), pa.int64()), 0))
    floored = pa.array(utc - local % _HOUR, mask=~np.asarray(valid, dtype=bool))
    return pc.cast(floored, pa.timestamp("us", tz="UTC"))


def ages(births: pa.Date32Array, times: pa.TimestampArray, zone: str) -> pa.Int32Array:
    """Completed years on the day of `times` in the controller's zone: a year is complete on the birthday itself.

    Who was born on 29 February completes a year on 1 March where the year has no such day: never earlier than the law counts.
    """
    local = _local(times, zone)
    today = pc.add(pc.multiply(pc.month(local), 100), pc.day(local))
    birthday = pc.add(pc.multiply(pc.month(births), 100), pc.day(births))
    years = pc.subtract(pc.year(local), pc.year(births))
    return pc.cast(pc.subtract(years, pc.cast(pc.less(today, birthday), pa.int64())), pa.int32())


def age_bands(catalogue: Catalogue, births: pa.Date32Array, times: pa.TimestampArray, zone: str) -> pa.StringArray:
    """The public age band; null under the first edge (14: such a row may not enter at all) and for a birth in the future."""
    bands = catalogue.generalisations["bands"]["age"]
    edges = [low for low, _ in bands["edges"]] + [bands["last"]]
    names = [f"{low}-{high}" for low, high in bands["edges"]] + [f"{bands['last']}+"]
    years = ages(births, times, zone)
    position = np.searchsorted(edges, np.asarray(pc.fill_null(years, -1)), side="right") - 1
    return pc.take(pa.array(names, pa.string()), pa.array(position, mask=position < 0))


def _local(times: pa.TimestampArray, zone: str) -> pa.TimestampArray:
    return pc.local_timestamp(pc.cast(times, pa.timestamp("us", tz=zone)))


def _year_month(days: pa.Array) -> pa.Int32Array:
    return pc.cast(pc.add(pc.multiply(pc.year(days), 100), pc.month(days)), pa.int32())


def _column(fields: pa.Table, f: Field) -> pa.Array:
    if f.name not in fields.column_names:
        return pa.nulls(fields.num_rows, f.arrow_type)
    column = fields.column(f.name)
    return pa.concat_arrays(column.chunks) if column.num_chunks else pa.nulls(0, f.arrow_type)


def _allowed(values: pa.Array, f: Field, record: Record, allowed: Allowed | None) -> pa.Array:
    if allowed is None:
        return values
    rows = allowed.get(f.name, False)
    if rows is True:
        return values
    if rows is False:
        return pa.nulls(len(values), values.type)
    return pc.if_else(pc.fill_null(rows, fill_value=False) if rows.null_count else rows, values, pa.scalar(None, values.type))


def _treat(means: _Means, f: Field, becomes: Becomes, values: pa.Array) -> pa.Array:
    table = means.catalogue.tables[becomes.table]
    if values.null_count == len(values):
        return pa.nulls(len(values), table.columns[becomes.column].arrow_type)
    match becomes.treatment:
        case "link":
            return means.link(becomes.column, values, local_month(means.times, means.zone))
        case "band":
            return age_bands(means.catalogue, values, means.times, means.zone)
        case "truncate" if becomes.by == "hour":
            return local_hour(values, means.zone)
        case "truncate" if becomes.by == "month":
            return local_month(values, means.zone) if f.type == "instant" else _year_month(values)
        case "generalise":
            return generalise(means.catalogue.generalisations, becomes.by, values)
        case "scrub":
            clean, unsure = means.scrub(values)
            return pc.if_else(pc.fill_null(unsure, fill_value=True), pa.scalar(None, pa.string()), clean)
        case "keep":
            return _keep(f, becomes, values, table.key)
    raise errors.Invalid("unknown treatment", code="bad_dictionary")


def _keep(f: Field, becomes: Becomes, values: pa.Array, key: tuple[str, ...]) -> pa.Array:
    """A closed word stays if it is on its list; an open word stays if no direct identifier is in it. Keys of tables without people stay."""
    if not pa.types.is_string(values.type) or becomes.column in key:
        return values
    null = pa.scalar(None, pa.string())
    if f.input.values:
        return pc.if_else(pc.is_in(values, pa.array(f.input.values, pa.string())), values, null)
    encoded = pc.dictionary_encode(values)
    clean = pc.if_else(identifying(encoded.dictionary), null, encoded.dictionary)
    return pc.take(clean, encoded.indices)
