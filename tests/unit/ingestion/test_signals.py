"""What a browser's signals say: the published vectors, and that nothing but a no can come of GPC and GPP."""

from __future__ import annotations

import json
import os
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingestion import signals
from ingestion.source import Claim, Reading, Row
from privacy.records import RawBatch, SourceFacts
from privacy.vocabulary import PROFILING, STATISTICS
from tests.conftest import NOW

DATA = Path(os.environ.get("PIYING_TEST_DATA", Path(__file__).parents[4] / "shared" / "data")) / "conformance"
needs_vectors = pytest.mark.skipif(not DATA.is_dir(), reason="the conformance vectors are not here: set PIYING_TEST_DATA")
SOURCE = SourceFacts("src_1", "web", "segment", True, frozenset({STATISTICS}))


def vectors(name: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((DATA / f"{name}.json").read_text())["vectors"]
    return found


@needs_vectors
def test_every_vector_of_tcf_is_read_as_its_source_says() -> None:
    for vector in vectors("tcf_v2"):
        if "error" in vector or "strict" in vector:
            with pytest.raises(signals.Unreadable):
                signals.tcf(vector["tc"])
            continue
        read = signals.tcf(vector["tc"])
        told = {
            "version": read.version,
            "cmpId": read.cmp,
            "consentLanguage": read.language,
            "tcfPolicyVersion": read.policy,
            "purposesConsent": sorted(read.consented),
            "purposesLITransparency": sorted(read.legitimate),
            "created": datetime.fromtimestamp(read.created / 10, NOW.tzinfo).strftime("%Y-%m-%dT%H:%M:00Z"),
        }
        assert {name: value for name, value in told.items() if name in vector} == {name: vector[name] for name in told if name in vector}


@needs_vectors
def test_every_vector_of_gpp_is_read_as_its_source_says() -> None:
    for vector in vectors("gpp_usnat"):
        if "error" in vector:
            with pytest.raises(signals.Unreadable):
                signals.us_national(vector["string"])
            continue
        read = signals.us_national(vector["string"])
        included = vector.get("GpcSegmentIncluded", vector.get("as_above_but", {}).get("GpcSegmentIncluded"))
        assert (read.gpc is not None) == included
        if "default" in vector:
            assert (read.sale_opt_out, read.sharing_opt_out, read.targeted_opt_out) == (0, 0, 0)
        else:
            assert (read.sale_opt_out, read.sharing_opt_out, read.targeted_opt_out) == (1, 1, 1)
        if "Gpc" in vector:
            assert read.gpc is vector["Gpc"]


def test_a_whole_gpp_string_is_taken_apart_by_its_header() -> None:
    assert signals.us_national_of("DBABLA~BVVVkkkkkpFY.YA") == signals.us_national("BVVVkkkkkpFY.YA")
    assert signals.us_national_of("DBABMA~CPXxRfAPXxRfAAfKABENB") is None, "the section for Europe alone"
    with pytest.raises(signals.Unreadable):
        signals.us_national_of("!~BVVV")


@pytest.mark.parametrize(("header", "expected"), [("1", True), ("0", False), ("", False), ("true", False), ("1, 1", False), (None, False)])
def test_one_value_of_the_header_objects_and_no_other_says_anything(header: str | None, *, expected: bool) -> None:
    assert signals.objects(header) is expected
    assert signals.said({}, gpc=expected, european=False) == ({PROFILING: False, signals.SHARING: False} if expected else {})


def context(**said: str) -> dict[str, Any]:
    return {"context": {"consent": said}}


YES_TO_ADS = "COrEAV4OrXx94ACABBENAHCIAD-AAAAAAACAAxAAAAgAIAwgAgAAAAEAgQAAAAAEAYQAQAAAACAAAABAAA"  # purposes 3 to 9
NO_TO_ADS = "COtybn4PA_zT4KjACBENAPCIAEBAAECAAIAAAAAAAAAA"  # purposes 2 and 10; 2 and 9 as a legitimate interest


def test_tcf_counts_in_europe_alone_and_a_legitimate_interest_is_no_consent() -> None:
    assert signals.said(context(tcf=NO_TO_ADS), gpc=False, european=False) == {}
    assert signals.said(context(tcf=NO_TO_ADS), gpc=False, european=True) == {PROFILING: False, STATISTICS: False, signals.SHARING: False}
    assert signals.said(context(tcf=YES_TO_ADS), gpc=False, european=True) == {PROFILING: True, STATISTICS: True, signals.SHARING: False}


def test_gpp_and_gpc_win_over_a_yes_of_tcf_and_never_say_yes() -> None:
    assert signals.said(context(tcf=YES_TO_ADS, gpp="BVVVkkkkkpFY"), gpc=False, european=True)[PROFILING] is False
    assert signals.said(context(tcf=YES_TO_ADS), gpc=True, european=True)[PROFILING] is False
    assert signals.said(context(gpp="BAAAAAAAAABA"), gpc=False, european=True) == {}


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=80) | st.text("ABCDEFabcdef0123456789-_.~", max_size=120))
def test_whatever_stands_there_nothing_breaks_and_gpp_only_ever_denies(text: str) -> None:
    told = signals.said(context(gpp=text), gpc=False, european=True)
    assert not any(told.values())
    assert all(isinstance(value, bool) for value in signals.said(context(tcf=text), gpc=False, european=True).values())


def batch(*claims: Claim) -> RawBatch:
    row = Row("event", 5, {"event": "other"}, {"cookie": "c"}, claims)
    return RawBatch(SOURCE, NOW, items=[Reading("m", rows=(row, row)), Reading("n", rule=None)])


def test_a_no_of_the_browser_stands_beside_the_message_and_takes_its_yes_away() -> None:
    yes, other = Claim(PROFILING, True, 5, False), Claim(STATISTICS, True, 5, False)
    made = signals.add(batch(yes, other), [{}, {}], ["share.acme"], gpc=True, european=False)
    first = (made.items or ())[0].rows[0]
    assert first.claims == (other, Claim(PROFILING, False, 5, False), Claim("share.acme", False, 5, False))
    assert (made.items or ())[0].rows[1].claims == (yes, other), "said once an item"
    assert (made.items or ())[1].rows == ()


def test_an_explicit_act_of_the_same_message_is_kept_beside_the_no() -> None:
    act = Claim(PROFILING, True, 5, True)
    made = signals.add(batch(act), [{}, {}], [], gpc=True, european=False)
    assert (made.items or ())[0].rows[0].claims == (act, Claim(PROFILING, False, 5, False))


def test_without_a_signal_the_batch_is_the_very_same() -> None:
    raw = batch()
    assert signals.add(raw, [{"context": {"consent": {}}}, None], ["share.acme"], gpc=False, european=True) is raw
    no = Claim(PROFILING, False, 5, False)
    made = signals.add(batch(no), [context(tcf=YES_TO_ADS), {}], [], gpc=False, european=True)
    assert no in (made.items or ())[0].rows[0].claims, "a message's own no stays"
    assert Claim(PROFILING, True, 5, False) not in (made.items or ())[0].rows[0].claims
