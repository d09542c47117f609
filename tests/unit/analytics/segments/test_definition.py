"""What a segment may be for."""

from __future__ import annotations

import pytest

from analytics.segments.definition import REVIEWED, USES, check
from privacy.errors import Refused
from privacy.vocabulary import PROFILING, STATISTICS


def test_marketing_needs_no_review_and_prices_do() -> None:
    check(PROFILING, "marketing")
    for use in REVIEWED:
        check(PROFILING, use, "pia_1")
        with pytest.raises(Refused) as raised:
            check(PROFILING, use)
        assert (raised.value.code, raised.value.field) == ("segment_use_refused", "use")
    assert set(USES) > REVIEWED


def test_another_purpose_and_an_unknown_use_are_refused() -> None:
    for purpose, use, code in (
        (STATISTICS, "marketing", "segment_purpose"),
        ("", "marketing", "segment_purpose"),
        (PROFILING, "x", "segment_use"),
    ):
        with pytest.raises(Refused) as raised:
            check(purpose, use)
        assert raised.value.code == code
