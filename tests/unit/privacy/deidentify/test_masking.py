"""A mask is recognisable to who named the value and useless to anyone else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from privacy.deidentify.masking import mask
from privacy.vocabulary import IdentifierType


@pytest.mark.parametrize(
    ("kind", "value", "shown"),
    [
        ("phone", "+8613800138000", "138****8000"),
        ("phone", "138 0013 8000", "138****8000"),
        ("phone", "+442079460958", "****0958"),
        ("phone", "12345", "****"),
        ("email", "li@example.com", "l***@e***.com"),
        ("email", "a@b.cn", "***@***.cn"),
        ("email", "nothing", "****"),
        ("national_id", "11010519491231002X", "1****************X"),
        ("member_card", "6222021234567890", "****7890"),
        ("member_card", "1234", "****"),
        ("customer_no", "shop\x1fC123456789", "C12****"),
        ("cookie", "short", "****"),
        ("name", "张三", "张*"),
        ("name", "x", "*"),
        ("address", "上海市静安区南京西路1266号", "上海市****"),
        ("address", "somewhere", "****"),
        ("unheard_of", "13800138000", "****"),
        ("phone", "", ""),
    ],
)
def test_each_kind_has_its_mask(kind: str, value: str, shown: str) -> None:
    assert mask(kind, value) == shown


@given(st.sampled_from([*IdentifierType, "name", "address", "other"]), st.text(min_size=1, max_size=30))
def test_no_mask_shows_a_whole_value(kind: str, value: str) -> None:
    shown = mask(kind, value)
    assert shown != value or set(value) == {"*"}
