"""Every family's rule against vectors written from the rule, their digests computed here with hashlib (P-03, issue 7)."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

import pyarrow as pa
import pytest

from privacy.identity.forms import book, digests
from privacy.identity.forms.shape import Choice, Form, fill
from tests.unit.privacy.identity.forms import vectors


def part_of(form: Form, header: str, source: str, clear: list[str], choice: Choice | None = None) -> tuple[list[str | None], int]:
    """One column of the filled form in the order of the clear values, each row found by an identifier of its own; and what was refused."""
    anchor = next(one for one in ("email", "phone", "handle") if one in form.sources)
    columns = {source: pa.array(clear)}
    if anchor != source:
        known = [f"anchor{number}@example.com" if anchor == "email" else f"138{number:08d}" for number in range(len(clear))]
        columns[anchor] = pa.array(known)
    filled = fill(form, columns, choice)
    cells: list[str | None] = [None] * len(clear)
    for row, cell in zip(filled.rows.to_pylist(), filled.table[header].to_pylist(), strict=True):
        cells[row] = cell
    codes = {one.refusal for one in form.parts if one.source == source}
    return cells, sum(count for code, count in filled.refused.items() if code in codes)


def expected(table: Mapping[str, str | None], name: str = "sha256") -> list[str | None]:
    return [None if normal is None else hashlib.new(name, normal.encode()).hexdigest() for normal in table.values()]


@pytest.mark.parametrize(("family", "header", "source", "table"), vectors.RULES, ids=lambda value: value if isinstance(value, str) else "")
def test_every_vector_is_hashed_or_refused_as_the_rule_says(family: str, header: str, source: str, table: dict[str, str | None]) -> None:
    cells, refused = part_of(book.form(family), header, source, list(table))
    wrong = {clear: cell for clear, cell, right in zip(table, cells, expected(table), strict=True) if cell != right}
    assert wrong == {}
    assert refused == sum(normal is None for normal in table.values())


def test_there_are_more_than_two_hundred_of_them_with_chinese_names_and_phones() -> None:
    pairs = {(family, header, clear) for family, header, _, table in vectors.RULES for clear in table}
    assert len(pairs) >= 250
    assert len({(clear, normal) for *_, table in vectors.RULES for clear, normal in table.items()}) >= 200
    assert sum(any("一" <= sign <= "鿿" for sign in clear) for _, _, clear in pairs) >= 40


def test_the_published_digests_are_those_of_our_columns() -> None:
    made = digests.digest(digests.SHA256, pa.array(list(vectors.PUBLISHED)))
    assert made.to_pylist() == list(vectors.PUBLISHED.values())


def test_an_american_number_gets_its_country_code_even_in_the_united_states() -> None:
    for family, header in (("meta", "PHONE"), ("tiktok", "Phone_SHA256")):
        cells, refused = part_of(book.form(family), header, "phone", list(vectors.US_PHONE), Choice(region="US"))
        assert cells == expected(vectors.US_PHONE)
        assert refused == 2


def test_the_names_of_an_address_are_hashed_without_blanks_and_its_country_and_postcode_are_not() -> None:
    names = list(vectors.GOOGLE_NAME)
    columns = {
        "first_name": pa.array(names),
        "last_name": pa.array(names[::-1]),
        "country": pa.array(["cn"] * len(names)),
        "postcode": pa.array(["518000"] * len(names)),
    }
    filled = fill(book.form("google"), columns)
    right = expected(vectors.GOOGLE_NAME)
    found = {row: (one["First Name"], one["Last Name"]) for row, one in zip(filled.rows.to_pylist(), filled.table.to_pylist(), strict=True)}
    assert found == {row: (first, last) for row, (first, last) in enumerate(zip(right, right[::-1], strict=True))}
    assert set(filled.table["Country"].to_pylist()) == {"CN"}
    assert set(filled.table["Zip"].to_pylist()) == {"518000"}


def test_whether_a_gmail_tag_stays_is_agreed_with_the_recipient() -> None:
    kept, _ = part_of(book.form("google"), "Email", "email", ["J.O.Hn+Sale@Gmail.com", "a+b@example.com"])
    gone, _ = part_of(book.form("google"), "Email", "email", ["J.O.Hn+Sale@Gmail.com", "a+b@example.com"], Choice(gmail_tags=False))
    assert kept == expected({"1": "john+sale@gmail.com", "2": "a+b@example.com"})
    assert gone == expected({"1": "john@gmail.com", "2": "a+b@example.com"})


def test_the_chinese_platforms_take_md5_and_linkedin_sha512_where_that_was_agreed() -> None:
    cells, _ = part_of(book.form("ocean_engine"), "phone", "phone", list(vectors.CHINESE_PHONE), Choice(digest="md5"))
    assert cells == expected(vectors.CHINESE_PHONE, "md5")
    cells, _ = part_of(book.form("linkedin"), "email", "email", list(vectors.LINKEDIN_EMAIL), Choice(digest="sha512"))
    assert cells == expected(vectors.LINKEDIN_EMAIL, "sha512")


def test_advertising_identifiers_stand_in_metas_form_in_clear_and_in_one_case() -> None:
    cells, refused = part_of(book.form("meta"), "MADID", "device", list(vectors.META_DEVICE))
    assert cells == list(vectors.META_DEVICE.values())
    assert refused == 1
