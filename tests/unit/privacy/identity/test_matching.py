"""The probabilistic match: pairs that are right, reasons without a value, and the same answer every time."""

from __future__ import annotations

import csv
import gzip
import math
import os
import sys
from collections import Counter
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

from privacy import errors
from privacy.identity import matching

DATA = Path(os.environ.get("PIYING_TEST_DATA", Path(__file__).parents[5] / "shared" / "data")) / "identity_febrl"
needs_match = pytest.mark.skipif(find_spec("splink") is None, reason="the extra `match` is not installed: pip install piying[match]")
COLUMNS = {
    "given_name": "given_name",
    "family_name": "surname",
    "birth_date": "date_of_birth",
    "street": "address_1",
    "place": "suburb",
    "postcode": "postcode",
}


def febrl(name: str) -> tuple[dict[str, list[str]], list[str]]:
    """Columns of a Febrl set, and for each record whose it is."""
    path = DATA / f"{name}.csv.gz"
    if not path.exists():
        pytest.skip(f"{path.name} of identity_febrl is not here: set PIYING_TEST_DATA")
    with gzip.open(path, "rt", encoding="utf-8") as text:
        rows = list(csv.DictReader(text, skipinitialspace=True))
    return {field: [row[column] for row in rows] for field, column in COLUMNS.items()}, [row["rec_id"].split("-")[1] for row in rows]


@pytest.mark.slow
@needs_match
def test_of_febrls_first_set_nearly_every_pair_is_found_and_none_is_wrong() -> None:
    """1,000 records, 500 pairs, without the number that would settle it: measured 495 of 500 with precision 1; the seed is fixed."""
    columns, truth = febrl("dataset1")
    found = matching.pairs(columns)
    right = [one for one in found if truth[one.first] == truth[one.second]]
    assert len(right) / len(found) >= 0.99
    assert len(right) / sum(math.comb(count, 2) for count in Counter(truth).values()) >= 0.97
    assert all(one.first < one.second for one in found)
    assert [one.weight_milli for one in found] == sorted((one.weight_milli for one in found), reverse=True)
    words = {word for one in found for word in one.reasons.values()}
    assert words <= {"equal", "close", "similar", "different", "absent"}
    assert {name for one in found for name in one.reasons} == set(COLUMNS)


@pytest.fixture
def without_splink() -> Iterator[None]:
    """As if the extra had not been installed."""
    held = {name: module for name, module in sys.modules.items() if name.split(".")[0] == "splink"}
    for name in held:
        del sys.modules[name]
    sys.modules["splink"] = None  # type: ignore[assignment]
    yield
    del sys.modules["splink"]
    sys.modules.update(held)


def test_without_the_extra_the_answer_says_what_is_missing(without_splink: None) -> None:
    columns = {name: ["a", "b"] for name in ("name", "place", "birth_date")}
    with pytest.raises(errors.NotConfigured) as caught:
        matching.pairs(columns)
    assert caught.value.code == "match_missing"


def test_too_little_to_compare_is_said_and_one_record_has_no_pair() -> None:
    with pytest.raises(errors.Invalid) as caught:
        matching.pairs({"name": ["a", "b"], "place": ["", None]})
    assert caught.value.code == "match_fields"
    assert matching.pairs({name: ["a"] for name in ("name", "place", "birth_date")}) == []
