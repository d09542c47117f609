"""What may be asked for a recipient by its register entry; what the papers say on the day is tested with the door."""

from __future__ import annotations

from typing import Any

from privacy.export import law
from tests.fakes.paperwork import AGENCY

COLUMNS = {"sex": "quasi_identifier", "illness": "sensitive"}


def offers(*, abroad: bool = False, **changes: Any) -> dict[str, Any]:
    return law.offers(AGENCY | changes, COLUMNS, purpose="marketing.profiling", abroad=abroad)


def test_a_recipient_is_offered_its_channels_and_the_forms_that_have_an_agreed_column() -> None:
    told = offers()
    assert told["channels"] == ["sms"]
    assert told["forms"].keys() == {"sms", "damopan", "databank", "ocean_engine", "tencent_ads"}
    assert set(map(tuple, told["forms"].values())) == {("phone",)}
    assert told["classes"] == {"phone": "direct_identifier"}


def test_forms_of_platforms_abroad_are_offered_to_recipients_abroad_alone() -> None:
    assert "meta" not in offers(categories=["email"])["forms"]
    assert offers(categories=["email"], abroad=True)["forms"].keys() == {"email", "google", "meta", "tiktok", "linkedin", "x"}


def test_a_table_is_offered_where_columns_of_it_were_agreed_each_with_its_class() -> None:
    told = offers(categories=["sex", "illness", "birth_date"], purposes=["marketing.profiling", "marketing.channel.email"])
    assert told == {"channels": ["", "email"], "forms": {"pseudonymous": ["illness", "sex"]}, "classes": COLUMNS}
