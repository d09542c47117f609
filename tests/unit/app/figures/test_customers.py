"""What the reports of topics, content, personas and lifetime found, in both languages."""

from __future__ import annotations

from typing import Any

from app.figures import cells, customers, findings, specs, tables, words
from tests.fakes.documents import CHINESE, ENGLISH
from tests.unit.app.figures.test_compared import document, row, told


def topics(half: float) -> list[dict[str, Any]]:
    return [row("share", value, half, topic=topic) for topic, value in (("taste", 0.6), ("waiting", 0.3), ("other", 0.1))]


def test_the_topic_with_the_most_notes_is_named_where_it_is_certain() -> None:
    assert "Altogether: the most notes are about “Taste”, between 57% and 63%" in told("feedback", topics(0.02), "topic")
    assert "cannot be told" in told("feedback", topics(0.4), "topic")
    apart = [one | {"region": region} for region in ("east", "south") for one in topics(0.02)]
    assert "South: the most notes" in told("feedback", apart, "topic", "region")
    many = [one | {"region": region} for region in ("east", "south", "north", "west", "central") for one in topics(0.02)]
    assert "place by place" in told("feedback", many, "topic", "region")


def test_content_is_told_apart_only_where_the_interval_leaves_one_out() -> None:
    def compared(half: float) -> list[dict[str, Any]]:
        return [row("times_others", value, half, creative=name, marginal="times_others") for name, value in (("a", 2.0), ("b", 0.5))]

    sentence = told("content", compared(0.2), "creative")
    assert "a gets between 1.8 and 2.2 times as much done as the others" in sentence
    assert "b gets less done than the others" in sentence
    assert "No content certainly" in told("content", compared(3.0), "creative")
    rates = [
        row("interaction", value, 0.02, creative=name, touch="any", marginal="interaction") for name, value in (("a", 0.4), ("b", 0.2))
    ]
    assert "The most is done with a: between 37% and 43%" in told("content", rates, "creative", "touch")
    assert "cannot be told" in told("content", [one | {"low": 0.0, "high": 1.0} for one in rates], "creative", "touch")


def personas(number: int) -> list[dict[str, Any]]:
    rows = []
    for place in range(1, number + 1):
        head = {
            "persona": str(place),
            "marginal": "persona",
            "name": {"en": "Regular", "zh": "常客"},
            "card": {"en": "They buy.", "zh": "买。"},
        }
        rows += [row("people", 900 / place, 20, **head), row("share", 0.5 / place, 0.01, **head)]
    return rows


def test_each_persona_has_its_card_in_the_readers_language() -> None:
    assert "Regular: 900 ± 20 people (50% ± 1%). They buy." in told("personas", personas(2), "persona")
    (part,) = tables.parts(document("personas", personas(2), "frequency", "ticket"))
    assert part["question"]["by"] == ["persona"]
    assert "常客：900 ± 20人" in findings.findings(part, CHINESE)[0]
    assert "all customers together are one" in told("personas", personas(1), "persona")
    assert next(line.names for line in tables.lines(part, CHINESE)) == ("常客",)
    levels = [row("level", 0.8, 0.01, persona="1", trait="discount", marginal="trait", name={"en": "Regular", "zh": "常客"})]
    assert "stands at zero" in told("personas", levels, "persona", "trait")


def test_lifetime_says_who_is_lost_who_comes_back_and_what_the_year_is_worth() -> None:
    shares = (("gone", 0.2), ("at_risk", 0.2), ("open", 0.3), ("likely", 0.3))
    rows = [row("share", value, 0.01, churn=name, marginal="churn") for name, value in shares]
    sentence = told("lifetime", rows, "churn")
    assert "Within 90 days as good as lost (under a tenth): between 18.5% and 21.5% of the customers." in sentence
    bands = (("0-4999", 1e6), ("150000+", 9e6))
    worth = [row("worth", value, 1e5, value_band=name, marginal="value_band") for name, value in bands]
    assert "from customers worth CN¥1,500 and more each" in told("lifetime", worth, "value_band")
    assert "cannot be told" in told("lifetime", [one | {"low": 0.0, "high": 2e7} for one in worth], "value_band")
    every = [row(name, value, value / 10, marginal="all") for name, value in (("people", 1e3), ("purchases", 4e3), ("worth", 9e6))]
    assert "purchases expected in 52 weeks: between 3,400 and 4,600" in told("lifetime", every)
    assert "too few customers" in told("lifetime", every[:1])


def test_figures_of_these_reports_can_be_drawn() -> None:
    for kind, rows in (("personas", personas(2)), ("lifetime", [row("worth", 9e6, 1e5, value_band="150000+", marginal="value_band")])):
        (part,) = tables.parts(document(kind, rows, "ignored"))
        assert specs.spec(part, rows[0]["measure"], ENGLISH, specs.Look())["layer"]
    assert cells.cell(ENGLISH, "value_band", "5000-19999") == "CN¥50 to under CN¥200"
    assert words.unit(ENGLISH, "worth").endswith("(CNY)")
    assert customers.finder(document("rfm", [row("people", 1, 1, segment="x")], "segment")) is None
