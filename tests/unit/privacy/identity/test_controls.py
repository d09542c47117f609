"""Control rows: owned, each one recipient's, and enough of them that a thousand rows name who leaked."""

from __future__ import annotations

import math
import os
import random

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from privacy import errors
from privacy.identity import controls
from privacy.identity.controls import Plan, Register, choose, trace
from privacy.identity.forms import book
from privacy.identity.forms.shape import fill
from privacy.identity.pseudonyms import MacKey

KEY = MacKey(os.urandom(32))
DOMAIN = Register(domains=("post.example", "brief.example"))


def assigned(recipients: list[str], register: Register, rows: int) -> tuple[dict[str, str], dict[str, Plan]]:
    given_: dict[str, str] = {}
    plans = {}
    for recipient in recipients:
        plans[recipient] = choose(register, given_, recipient, rows, KEY)
        given_ |= dict.fromkeys(plans[recipient].values, recipient)
    return given_, plans


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 3_000_000))
def test_as_many_as_wanted_leave_the_promised_chance_and_one_in_a_hundred_fewer_do_not(rows: int) -> None:
    count = controls.wanted(rows)
    assert controls.missing(rows, count) <= controls.MISSED * (1 + 1e-6)
    if rows > 1_000_000:
        assert controls.missing(rows, int(count * 0.99)) > controls.MISSED


def test_the_chance_to_miss_is_the_quotient_of_two_binomials() -> None:
    assert controls.missing(90, 10, sample=20) == pytest.approx(math.comb(90, 20) / math.comb(100, 20))
    assert controls.missing(5, 1) == 0.0
    assert controls.missing(5, 0) == 1.0
    assert controls.wanted(0) == 0


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.text("abcdef", min_size=1, max_size=4), min_size=1, max_size=5, unique=True),
    st.integers(1, 5_000),
    st.lists(st.integers(0, 99), max_size=40, unique=True),
    st.booleans(),
)
def test_no_address_ever_has_two_recipients_and_every_one_is_the_controllers(
    recipients: list[str], rows: int, owned: list[int], with_domain: bool
) -> None:
    values = tuple(f"+86138000000{number:02d}" for number in owned)
    register = Register(values, ("post.example",) if with_domain else ())
    given_, plans = assigned(recipients * 2, register, rows)
    for recipient, plan in plans.items():
        assert all(given_[value] == recipient for value in plan.values)
        assert all(value in values or value.endswith("@post.example") for value in plan.values)
        assert plan.missed == controls.missing(rows, len(plan.values))
        assert plan.enough == (len(plan.values) >= plan.wanted)
    if with_domain:
        assert all(plan.enough for plan in plans.values())


def test_a_recipient_keeps_its_controls_and_a_larger_file_gets_more_of_them() -> None:
    given_, plans = assigned(["acme"], DOMAIN, 10_000)
    larger = choose(DOMAIN, given_, "acme", 100_000, KEY)
    assert set(plans["acme"].values) < set(larger.values)
    assert choose(DOMAIN, given_, "acme", 100_000, KEY) == larger


def test_a_register_that_is_too_small_says_what_chance_it_leaves_and_invents_nothing() -> None:
    plan = choose(Register(("+8613800138000", "+8613900139000")), {}, "acme", 100_000, KEY)
    assert sorted(plan.values) == ["+8613800138000", "+8613900139000"]
    assert not plan.enough
    assert 0.9 < plan.missed < 1
    second = choose(Register(("+8613800138000",)), {"+8613800138000": "acme"}, "bolt", 10, KEY)
    assert (second.values, second.missed) == ((), 1.0)


def test_any_recipient_is_named_from_a_thousand_rows_of_its_file() -> None:
    """Twelve files of the same 20,000 people, hashed in Google's form, and fifteen random samples of a thousand rows of each. A sample misses its
    controls at most once in a million, so one of the 180 does once in five thousand runs; where a sample has none the test says so and draws
    no conclusion, and five such samples come once in 10²⁰ runs."""
    recipients = [f"recipient-{number}" for number in range(12)]
    given_, plans = assigned(recipients, DOMAIN, 20_000)
    people = (
        fill(book.form("google"), {"email": pa.array([f"person{number}@shop.example" for number in range(20_000)])})
        .table["Email"]
        .to_pylist()
    )
    marks = {one: fill(book.form("google"), {"email": pa.array(plans[one].values)}).table["Email"].combine_chunks() for one in recipients}
    empty = 0
    for recipient in recipients:
        file = people + marks[recipient].to_pylist()
        for _ in range(15):
            found = trace([pa.array(random.sample(file, 1_000))], marks)
            empty += not found.found
            assert found.recipient == recipient or not found.found
    assert empty < 5
    assert len(given_) == sum(len(plan.values) for plan in plans.values())


def test_a_mixture_names_both_and_a_strangers_list_nobody() -> None:
    marks = {"acme": pa.array(["a1", "a2"]), "bolt": pa.array(["b1"])}
    mixed = trace([pa.array(["x", " A2 "]), pa.array(["B1", None])], marks)
    assert mixed.found == {"acme": 1, "bolt": 1}
    assert mixed.recipient is None
    assert trace([pa.array(["x"])], marks).recipient is None
    assert trace([pa.array(["x"])], {}).found == {}
    assert trace([pa.array(["b1"])], marks).recipient == "bolt"


def test_a_mark_of_two_recipients_proves_nothing() -> None:
    with pytest.raises(errors.Invalid, match="one recipient"):
        trace([pa.array(["x"])], {"acme": pa.array(["A"]), "bolt": pa.array(["a"])})
