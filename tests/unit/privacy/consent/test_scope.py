"""What an act covers, and that whom a change asks again is exactly whoever allows by acts that do not reach it (also privacy.consent.asked)."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from privacy.consent import asked, scope
from privacy.consent.registry import Purpose
from privacy.consent.scope import Edition, Scope
from privacy.vocabulary import PROFILING, Flag

ONE = Edition("n1", 100, frozenset({"behaviour"}), frozenset({"analyse"}), anew=False)
TWO = Edition("n2", 200, frozenset({"behaviour", "location"}), frozenset({"analyse", "share"}), anew=False)
AGAIN = Edition("n3", 300, frozenset({"behaviour"}), frozenset({"analyse"}), anew=True)
NOW = 1_000


def row(state: str, at: int, *, notice: str | None = None, form: str = "general", until: int | None = None) -> dict[str, Any]:
    return {
        "purpose": PROFILING,
        "state": state,
        "kind": "explicit",
        "effective_at": at,
        "received_at": at,
        "valid_until": until,
        "notice": notice,
        "evidence": {"form": form},
    }


def test_an_act_reaches_what_its_own_notice_said_and_no_further() -> None:
    both = Scope((ONE, TWO))
    assert both.covers(row("granted", 500, notice="n1"), "behaviour")
    assert not both.covers(row("granted", 500, notice="n1"), "location")
    assert not both.covers(row("granted", 500, notice="n1"), None, "share")
    assert both.covers(row("granted", 150, notice="n2"), "location")
    assert both.covers(row("granted", 250), "location"), "no notice was named: the one in force"
    assert not both.covers(row("granted", 50), "location"), "from before the first: what the first says"
    assert Scope().covers(row("granted", 50), "anything"), "nothing was ever published"


def test_a_purpose_that_is_asked_anew_is_reached_by_later_acts_alone() -> None:
    renewed = Scope((ONE, AGAIN))
    assert not renewed.covers(row("granted", 250, notice="n1"))
    assert renewed.covers(row("granted", 350, notice="n3"))
    assert (renewed.renewed, renewed.plain, Scope((ONE,)).plain, Scope((ONE, TWO)).plain) == (True, False, True, False)
    assert Scope((ONE, TWO)).added() == {"location"}


def test_a_paper_is_needed_where_the_purpose_says_so() -> None:
    assert not Scope((), written=True).covers(row("granted", 1))
    assert Scope((), written=True).covers(row("granted", 1, form="written"))


def acts_of(until: st.SearchStrategy[int | None]) -> st.SearchStrategy[list[dict[str, Any]]]:
    said = st.sampled_from(["granted", "granted", "withdrawn", "denied"])
    notice = st.sampled_from([None, "n1", "n2", "n3"])
    return st.lists(st.builds(row, said, st.integers(1, 900), notice=notice, until=until), max_size=5)


EDITIONS = st.sampled_from([(ONE,), (ONE, TWO), (ONE, TWO, AGAIN)])
PURPOSE = Purpose(PROFILING, {"CN": "consent"})


def told(acts: list[dict[str, Any]], covered: Scope, category: str | None = None, method: str | None = None, **more: Any) -> asked.Answer:
    given: dict[str, Any] = {"now": NOW, "jurisdiction": "CN", "years": 18, "unknown_age_barred": False, "cool_down": 10}
    return asked.answer(asked.Use(PROFILING, category, method), PURPOSE, [acts], covered, **given | more)


@settings(max_examples=40, deadline=None)
@given(acts_of(st.none() | st.integers(1, 2_000)), EDITIONS, st.sampled_from(["behaviour", "location", None]))
def test_a_narrower_reading_never_allows_more(acts: list[dict[str, Any]], editions: tuple[Edition, ...], category: str | None) -> None:
    """Also where a later grant that does not reach it was to end sooner than an earlier one that does."""
    assert told(acts, Scope()).allowed or not told(acts, Scope(editions), category).allowed


@settings(max_examples=40, deadline=None)
@given(acts_of(st.none()), EDITIONS)
def test_whoever_need_not_be_asked_is_denied_nothing(acts: list[dict[str, Any]], editions: tuple[Edition, ...]) -> None:
    covered, newest = Scope(editions), editions[-1]
    asks = scope.needs_asking([acts], covered, NOW)
    plain = told(acts, Scope()).allowed
    within = [told(acts, covered, one).allowed for one in newest.categories] + [
        told(acts, covered, None, one).allowed for one in newest.methods
    ]
    assert asks is (plain and not all(within)) or (asks and plain)


def test_the_age_a_purpose_needs_is_counted_and_flags_stand_before_consent() -> None:
    acts = [row("granted", 10)]
    assert told(acts, Scope()).allowed
    assert (told(acts, Scope(), years=17).reason, told(acts, Scope(), years=17).ask) == ("minor", False)
    assert told(acts, Scope(), years=None).allowed
    assert told(acts, Scope(), years=None, unknown_age_barred=True).reason == "age_unknown"
    assert told(acts, Scope(), jurisdiction="EU").reason == "ground_missing"
    assert told(acts, Scope(), flags=[Flag.RESTRICTED]).reason == "restricted"
