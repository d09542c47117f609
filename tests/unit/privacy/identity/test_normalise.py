"""One spelling for each identifier."""

from __future__ import annotations

import pyarrow as pa
import pytest

from privacy.identity.normalise import normalise
from privacy.vocabulary import IdentifierType


def one(kind: str, value: str | None, namespace: str = "shop") -> tuple[str | None, bool]:
    normal, bad = normalise(kind, pa.array([value], pa.string()), namespace=namespace)
    return normal.to_pylist()[0], bad.to_pylist()[0]


@pytest.mark.parametrize(
    "written",
    [
        "13800138000",
        " 138 0013 8000 ",
        "138-0013-8000",
        "138.0013.8000",
        "(138)0013-8000",
        "+8613800138000",
        "+86 138 0013 8000",
        "0086 13800138000",
        "8613800138000",
        "１３８００１３８０００",
        "＋８６ １３８ ００１３ ８０００",
        "١٣٨٠٠١٣٨٠٠٠",
        "①③⑧00138000",
        "138\u200b0013\u200b8000",
        "138\u00a00013\u00a08000",
    ],
)
def test_a_chinese_mobile_is_the_same_however_it_is_written(written: str) -> None:
    assert one("phone", written) == ("+8613800138000", False)


@pytest.mark.parametrize(
    ("written", "normal"), [("021-62345678", "+862162345678"), ("+1 650 253 0000", "+16502530000"), ("+852 2123 4567", "+85221234567")]
)
def test_landlines_and_numbers_of_other_countries_are_kept(written: str, normal: str) -> None:
    assert one("phone", written) == (normal, False)


@pytest.mark.parametrize(
    "written", ["12345", "1380013800", "138001380001", "23800138000", "not a number", "13800138000 ext 5", "+999 1234567", "1" * 300 + "3"]
)
def test_what_is_no_phone_number_is_bad(written: str) -> None:
    assert one("phone", written) == (None, True)


@pytest.mark.parametrize(
    ("written", "normal"),
    [
        ("Lee@Example.COM", "lee@example.com"),
        (" a.b+c@mail.example.cn ", "a.b+c@mail.example.cn"),
        ("ｌｅｅ＠ｅｘａｍｐｌｅ．ｃｏｍ", "lee@example.com"),
        ("李@例子.中国", "李@例子.中国"),
        ("o'neil@example.com", "o'neil@example.com"),
    ],
)
def test_an_address_is_lower_case_whatever_its_script(written: str, normal: str) -> None:
    assert one("email", written) == (normal, False)


@pytest.mark.parametrize(
    "written", ["a..b@x.com", ".a@x.com", "a@x", "a@-x.com", "a b@x.com", "@x.com", "a@", "a" * 65 + "@x.com", "a@" + "b" * 250 + ".com"]
)
def test_what_is_no_address_is_bad(written: str) -> None:
    assert one("email", written) == (None, True)


def test_a_resident_id_needs_region_date_and_checksum() -> None:
    assert one("national_id", "11010519491231002x") == ("11010519491231002X", False)
    assert one("national_id", "１１０１０５ 19491231 002Ｘ") == ("11010519491231002X", False)
    for wrong in ("110105194912310021", "11010519491331002X", "99010519491231002X", "1101051949123100", "x" * 2):
        assert one("national_id", wrong) == (None, True)


def test_cards_are_compared_without_case_spaces_and_hyphens() -> None:
    assert one("member_card", "vip-0001 23") == one("member_card", "VIP000123") == ("VIP000123", False)
    assert one("member_card", "卡-１２３") == ("卡123", False)
    assert one("member_card", "ab") == (None, True)


@pytest.mark.parametrize("kind", ["customer_no", "openid", "cookie", "device"])
def test_types_of_a_namespace_carry_it(kind: str) -> None:
    normal, bad = one(kind, "oAbC_12-3xyz")
    assert not bad
    assert normal is not None
    assert normal.startswith("shop\x1f")
    assert one(kind, "oAbC_12-3xyz", namespace="other")[0] != normal


def test_customer_numbers_keep_their_case_and_devices_lose_it() -> None:
    assert one("customer_no", "Ab-1") == ("shop\x1fAb-1", False)
    assert one("device", "AB-1") == ("shop\x1fab-1", False)


def test_a_value_cannot_smuggle_a_namespace() -> None:
    assert one("customer_no", "other\x1f1") == (None, True)
    assert one("cookie", "a\x00b") == (None, True)


@pytest.mark.parametrize("kind", list(IdentifierType))
@pytest.mark.parametrize(
    "written",
    [
        None,
        "",
        "   ",
        "null",
        "NULL",
        "None",
        "anonymous",
        "N/A",
        "undefined",
        "test",
        "Test 1",
        "0000",
        "０００",
        "000000",
        "匿名",
        "\u200b",
    ],
)
def test_values_that_stand_for_nobody_are_absent_and_not_bad(kind: str, written: str | None) -> None:
    assert one(kind, written) == (None, False)


@pytest.mark.parametrize(
    ("kind", "written"),
    [("phone", "11111111111"), ("email", "null@null.com"), ("email", "test@test.com"), ("device", "00000000-0000-0000-0000-000000000000")],
)
def test_well_known_fillers_are_absent(kind: str, written: str) -> None:
    assert one(kind, written) == (None, False)


def test_short_customer_numbers_of_one_digit_are_people() -> None:
    assert one("customer_no", "11") == ("shop\x1f11", False)


def test_columns_keep_their_order_and_length() -> None:
    values = pa.chunked_array([["13800138000", None, "bad"], ["+86 138 0013 8000", "021-62345678", "null"]])
    normal, bad = normalise("phone", values, namespace="")
    assert normal.to_pylist() == ["+8613800138000", None, None, "+8613800138000", "+862162345678", None]
    assert bad.to_pylist() == [False, False, True, False, False, False]


def test_an_empty_column_stays_empty() -> None:
    normal, bad = normalise("email", pa.array([], pa.string()), namespace="")
    assert (len(normal), len(bad)) == (0, 0)


def test_an_unknown_type_is_no_identifier() -> None:
    with pytest.raises(ValueError):
        normalise("address", pa.array(["x"]), namespace="")
