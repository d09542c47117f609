"""Detectors find whole identifiers where they stand, and nothing inside longer runs."""

from __future__ import annotations

import pytest

from privacy.deidentify import detectors


def found(text: str) -> set[tuple[str, str]]:
    return {(text[start:end].strip(), kind) for start, end, kind in detectors.wide(text)}


def test_numbers_in_a_row_are_told_apart() -> None:
    assert {("13800138000", "phone"), ("13912345678", "phone")} <= found("13800138000, 13912345678")


def test_no_identifier_is_found_inside_a_longer_run_of_digits() -> None:
    assert not found("9" * 9 + "13800138000")
    assert not found("13800138000" + "9" * 9)
    assert not found("1234567890       13800138000138001380001")


@pytest.mark.parametrize("text", ["1.2.3", "12:30:45", "999.1.1.1", "12345678", "2024-01-15 10:30:00", "v1.2.3-rc1"])
def test_times_versions_and_short_numbers_are_not_identifiers(text: str) -> None:
    assert not found(text)


def test_the_metadata_of_numbers_finds_landlines_and_leaves_orders() -> None:
    assert not list(detectors.numbered_elsewhere("order 1012345678 late"))
    assert list(detectors.numbered_elsewhere("ring (0571) 8765 4321"))


def test_the_strict_set_leaves_product_codes() -> None:
    assert not list(detectors.strict("6901234567892"))
    assert not list(detectors.strict("555-123-4567"))
    assert list(detectors.strict("u+13800138000"))
