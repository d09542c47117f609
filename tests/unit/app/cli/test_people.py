"""Commands about one person: what is typed finds them, nothing repeats it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from app.wiring import open_services
from app.wiring.doors import utc_now
from privacy.audit.reading import Filter, lines
from privacy.identity.matching import Pair
from privacy.oversight.door import LookupPurpose
from privacy.vocabulary import IdentifierType
from tests.unit.app.commands import PHONE, WHY, run, told


@pytest.fixture
def known(home: Path) -> Path:
    """A home in which one more person has said yes."""
    kept = told(home, "consent", "record", "--type", "phone", "--purpose", "analytics.statistics", "--state", "granted", typed=PHONE + "\n")
    assert kept["verdict"] == "stored"
    return home


def test_a_person_is_found_by_what_is_typed_and_revealed_by_what_was_found(known: Path) -> None:
    found = told(known, "subject", "find", "--type", "phone", *WHY, typed=PHONE + "\n")
    assert PHONE not in json.dumps(found)
    (identifier,) = found["identifiers"]
    revealed = told(known, "subject", "reveal", found["handle"], identifier["ref"], *WHY)
    assert revealed["value"].endswith(PHONE)
    assert isinstance(revealed["entry"], int)
    shown = run(known, "subject", "find", "--type", "phone", *WHY, typed=PHONE + "\n")
    assert found["handle"] in shown.out
    assert PHONE not in shown.out
    assert "handle: nobody" in run(known, "subject", "find", "--type", "phone", *WHY, typed="13900139000\n").out


def test_help_of_a_look_up_lists_what_it_may_be_for(home: Path) -> None:
    for command in ("find", "reveal"):
        help_ = run(home, "subject", command, "--help").out
        assert [purpose for purpose in LookupPurpose if purpose.value not in help_] == []
    answer = run(home, "subject", "find", "--type", "phone", "--purpose", "curiosity", "--reason", "just so", typed=PHONE + "\n")
    assert answer.code == 2


@pytest.mark.parametrize("kind", [one.value for one in IdentifierType])
def test_what_is_typed_wrongly_is_not_repeated(kind: str, home: Path) -> None:
    answer = run(home, "subject", "find", "--type", kind, *WHY, "--json", typed="\n")
    assert answer.code == 1
    assert answer.error["code"] == "bad_identifier"


def test_consent_is_shown_and_withdrawn_by_what_is_typed(known: Path) -> None:
    before = told(known, "consent", "show", "--type", "phone", typed=PHONE)
    told(known, "consent", "record", "--type", "phone", "--purpose", "analytics.statistics", "--state", "withdrawn", typed=PHONE)
    assert told(known, "consent", "show", "--type", "phone", typed=PHONE) != before
    refused = run(known, "consent", "record", "--type", "phone", "--purpose", "world.domination", "--state", "granted", typed=PHONE)
    assert refused.code == 1
    assert PHONE not in refused.out + refused.err


def test_acts_of_consent_come_in_by_file(home: Path, tmp_path: Path) -> None:
    file, mapping = tmp_path / "acts.csv", tmp_path / "acts.toml"
    file.write_text(f"mobile,says,why,at\n{PHONE},yes,analytics.statistics,{utc_now():%Y-%m-%d} 00:00:00\n", encoding="utf-8")
    mapping.write_text(
        'record = "consent"\nzone = "UTC"\n\n[identifiers]\nphone = "mobile"\n\n[fields]\noccurred_at = "at"\npurpose = "why"\n'
        'state = { from = "says", values = { yes = "granted", no = "withdrawn" } }\n',
        encoding="utf-8",
    )
    answer = told(home, "consent", "import", str(file), "--source", "demo-crm", "--mapping", str(mapping))
    assert (answer["received"], answer["stored"]) == (1, 1)
    shown = told(home, "consent", "show", "--type", "phone", typed=PHONE)
    assert shown["purposes"]["analytics.statistics"]["allowed"]


# ── who is one with whom ───────────────────────────────────────────────────────────────────────────────────────────────────────

OTHER = "13900139000"


@pytest.fixture
def two(known: Path) -> Path:
    """A home that knows two people, of whom a match says that they are one."""
    told(known, "consent", "record", "--type", "phone", "--purpose", "analytics.statistics", "--state", "granted", typed=OTHER + "\n")
    services = open_services()
    try:
        made = services.kinship.propose(
            {"name": ["Anna Lee", "Ana Lee"]},
            {"phone": [PHONE, OTHER]},
            source="src_crm",
            namespace="",
            purpose="data_quality",
            reason="a file of the shop",
            actor="test",
            match=lambda fields, *, threshold: [Pair(0, 1, 9_500, {"name": "close"})],
        )
    finally:
        services.close()
    assert made["proposed"] == 1
    return known


def handle_of(home: Path, phone: str) -> str:
    return str(told(home, "subject", "find", "--type", "phone", *WHY, typed=phone + "\n")["handle"])


def logged(home: Path) -> list[str]:
    """Actions of the log, the newest first."""
    services = open_services()
    try:
        with services.read_console() as tx:
            return [line.action for line in lines(tx, Filter(), limit=20).items]
    finally:
        services.close()


def test_an_accepted_proposal_makes_two_one_and_an_undone_merge_two_again(two: Path) -> None:
    (one,) = told(two, "subject", "proposals")["items"]
    assert (one["weight"], one["fields"]) == (9.5, {"name": "close"})
    assert "name close" in run(two, "subject", "proposals").out
    merged = told(two, "subject", "accept", one["proposal"], *WHY)
    assert merged["members"] == 2
    assert handle_of(two, PHONE) == handle_of(two, OTHER) == merged["handle"]
    shown = told(two, "subject", "reasons", merged["handle"], *WHY)
    (merge,) = shown["merges"]
    assert (merge["rule"], merge["undone_at"], {link["type"] for link in shown["links"]}) == ("manual", None, {"phone"})
    plain = run(two, "subject", "reasons", merged["handle"], *WHY).out
    assert [word for word in ("links", "merges", "refused", merge["merge"][:12]) if word not in plain.replace("\n", "")] == []
    assert PHONE not in plain
    undone = told(two, "subject", "unmerge", merged["handle"], merge["merge"], *WHY)
    assert len({person["handle"] for person in undone["people"]}) == 2
    assert {"person.proposals", "person.merge", "person.reasons", "person.unmerge"} <= set(logged(two))
    assert handle_of(two, PHONE) != handle_of(two, OTHER)
    again = run(two, "subject", "unmerge", merged["handle"], merge["merge"], *WHY, "--json")
    assert (again.code, again.error["code"]) == (1, "merge_unknown")


def test_a_dismissed_proposal_is_gone(two: Path) -> None:
    (one,) = told(two, "subject", "proposals")["items"]
    assert told(two, "subject", "dismiss", one["proposal"], *WHY)["dismissed"] == one["proposal"]
    assert logged(two)[0] == "person.dismiss"
    assert told(two, "subject", "proposals")["items"] == []
    for command in ("accept", "dismiss"):
        answer = run(two, "subject", command, one["proposal"], *WHY, "--json")
        assert (answer.code, answer.error["code"]) == (1, "proposal_unknown")
    assert handle_of(two, PHONE) != handle_of(two, OTHER)


def test_a_match_names_columns_of_the_file_of_a_registered_source(known: Path, tmp_path: Path) -> None:
    file, match = tmp_path / "people.csv", tmp_path / "match.toml"
    file.write_text(f"mobile,first\n{PHONE},Anna\n", encoding="utf-8")
    match.write_text('[identifiers]\nphone = "mobile"\n[fields]\ngiven_name = "first"\n', encoding="utf-8")

    def refused(source: str = "demo-crm") -> str:
        words = ("subject", "propose", str(file), "--source", source, "--mapping", str(match), *WHY, "--json")
        answer = run(known, *words)
        assert (answer.code, PHONE in answer.out + answer.err) == (1, False)
        return str(answer.error["code"])

    assert refused("nowhere") == "source_unknown"
    assert refused() == "match_fields", "one field is too little to tell people apart"
    match.write_text('[identifiers]\nphone = "telephone"\n[fields]\ngiven_name = "first"\n', encoding="utf-8")
    assert refused() == "column_missing"
    match.write_text("identifiers = 1\n", encoding="utf-8")
    assert refused() == "match_fields"
    assert "person.propose" in logged(known)


def test_nobody_is_looked_for_without_a_purpose_of_the_list_and_a_reason(known: Path) -> None:
    handle = handle_of(known, PHONE)
    before = logged(known)
    for words in (("reasons", handle), ("unmerge", handle, "mrg_x"), ("accept", "prp_x"), ("dismiss", "prp_x")):
        assert run(known, "subject", *words).code == 2
        assert run(known, "subject", *words, "--purpose", "curiosity", "--reason", "just so").code == 2
    assert logged(known) == before
