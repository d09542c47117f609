"""Commands about one person: what is typed finds them, nothing repeats it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from app.wiring.doors import utc_now
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
