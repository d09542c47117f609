"""Which records of a file look like the same person: Splink's probabilistic match on DuckDB, in memory. The only module that knows it.

Promise: records in, pairs of positions out, each with its weight in bits and how each field agreed; the same records give the same pairs.
Nothing is written anywhere: the engine has no file, no temporary folder and no network. Without the extra `match` the answer is
`errors.NotConfigured`. Must never learn: the vault, an identifier that links, whether anything comes of a pair.
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import pyarrow as pa

from privacy import errors

FIELDS: Final = ("given_name", "family_name", "name", "birth_date", "street", "place", "postcode", "number")
"""What records may be compared on. `number` is a number of the person's own that is no identifier here."""

THRESHOLD: Final = 0.95
"""Probability from which a pair is proposed. An officer looks at each."""

SEED: Final = 20260615
MAX_RECORDS: Final = 500_000
_RANDOM_PAIRS: Final = 1e6
_DEGREES: Final = ("different", "similar", "close", "equal")


@dataclass(frozen=True, slots=True)
class Pair:
    """Two records by position, the weight in thousandths of a bit, and for each field a word: equal, close, similar, different, absent."""

    first: int
    second: int
    weight_milli: int
    reasons: Mapping[str, str]


def pairs(columns: Mapping[str, Sequence[str | None]], *, threshold: float = THRESHOLD) -> list[Pair]:
    """The pairs of records that look alike, the strongest first. Columns are named as in FIELDS and have one length."""
    used = [name for name in FIELDS if name in columns and any(columns[name])]
    size = len(next(iter(columns.values()))) if columns else 0
    if size > MAX_RECORDS:
        raise errors.Invalid("a match compares at most five hundred thousand records", code="too_many_records")
    if len(used) < 3:
        raise errors.Invalid("a match needs at least three fields with values", code="match_fields", field="fields")
    if size < 2:
        return []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = _predicted(_table(columns, used, size), used, threshold)
    made = [
        Pair(min(left, right), max(left, right), round(weight * 1000), dict(zip(used, [_word(level) for level in levels], strict=True)))
        for left, right, weight, *levels in found
    ]
    return sorted(made, key=lambda one: (-one.weight_milli, one.first, one.second))


def _word(level: int) -> str:
    return "absent" if level < 0 else _DEGREES[min(level, 3)]


def _table(columns: Mapping[str, Sequence[str | None]], used: Sequence[str], size: int) -> pa.Table:
    """Trimmed, lower case, empty as absent; Splink's own key is the position."""
    clean = {name: pa.array([(value or "").strip().lower() or None for value in columns[name]], pa.string()) for name in used}
    return pa.table({"unique_id": pa.array(range(size), pa.int64()), **clean})


def _predicted(table: pa.Table, used: Sequence[str], threshold: float) -> list[tuple[Any, ...]]:
    try:
        from splink import DuckDBAPI, Linker, SettingsCreator, block_on
    except ImportError:
        raise errors.NotConfigured("proposing merges needs the extra `match`", code="match_missing") from None
    quiet = logging.getLogger("splink")
    quiet.setLevel(logging.CRITICAL)
    engine = DuckDBAPI(connection=":memory:")
    for statement in ("SET temp_directory = ''", "SET threads = 2", "SET enable_external_access = false"):
        engine._con.execute(statement)
    rules: list[Any] = [block_on(*names) for names in _blocks(used)]
    settings = SettingsCreator(
        link_type="dedupe_only", comparisons=_comparisons(used), blocking_rules_to_generate_predictions=rules, max_iterations=12
    )
    linker = Linker(table, settings, engine, set_up_basic_logging=False)
    training = linker.training
    training.estimate_probability_two_random_records_match([block_on(*names) for names in _certain(used)], recall=0.8)
    training.estimate_u_using_random_sampling(max_pairs=_RANDOM_PAIRS, seed=SEED)
    for name in [one for one in ("birth_date", "family_name", "name", "postcode", "given_name", "place") if one in used][:2]:
        training.estimate_parameters_using_expectation_maximisation(block_on(name))
    answer = linker.inference.predict(threshold_match_probability=threshold)
    gammas = ", ".join(f'"gamma_{name}"' for name in used)
    told = engine._con.execute(
        f"SELECT unique_id_l, unique_id_r, match_weight, {gammas} FROM {answer.physical_name} ORDER BY unique_id_l, unique_id_r"
    )
    found: list[tuple[Any, ...]] = told.fetchall()
    engine._con.close()
    return found


def _comparisons(used: Sequence[str]) -> list[Any]:
    from splink import comparison_library as library

    made: Mapping[str, Any] = {
        **{name: library.JaroWinklerAtThresholds(name, [0.92, 0.8]) for name in ("given_name", "family_name", "name", "street", "place")},
        **{name: library.DamerauLevenshteinAtThresholds(name, [1, 2]) for name in ("birth_date", "postcode", "number")},
    }
    return [made[name] for name in used]


def _blocks(used: Sequence[str]) -> list[tuple[str, ...]]:
    """Pairs are looked at only if they agree on one of these, so that a million records are not half a billion pairs."""
    wanted = [
        *(("number",), ("birth_date",), ("name", "postcode"), ("given_name", "family_name"), ("family_name", "postcode")),
        *(("given_name", "postcode"), ("street", "place"), ("family_name", "place"), ("given_name", "place"), ("name", "place")),
        *(("street", "postcode"), ("name",), ("family_name", "street"), ("given_name", "street")),
    ]
    return [names for names in wanted if set(names) <= set(used)] or [(used[0],)]


def _certain(used: Sequence[str]) -> list[tuple[str, ...]]:
    """Agreements that nearly always mean the same person."""
    wanted = [("number",), ("name", "birth_date"), ("given_name", "family_name", "birth_date")]
    return [names for names in wanted if set(names) <= set(used)] or [tuple(used[:3])]
