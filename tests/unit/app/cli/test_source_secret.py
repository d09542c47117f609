"""`piying source secret`: made and shown once, or read from stdin and never shown."""

from __future__ import annotations

from pathlib import Path

from tests.unit.app.commands import run, told


def test_a_secret_is_made_and_shown_once_or_read_from_stdin(tmp_path: Path) -> None:
    home = tmp_path / "home"
    told(home, "init")
    told(home, "source", "add", "shop", "--kind", "webhook")
    made = told(home, "source", "secret", "shop")
    assert (made["scheme"], made["number"]) == ("shopify", 1)
    assert made["secret"].startswith("whs_")
    given = "a secret that the shop made"
    answer = run(home, "source", "secret", "shop", "--given", "--scheme", "timestamped", "--json", typed=given + "\n")
    assert answer.json == {"source": made["source"], "scheme": "timestamped", "number": 2}
    assert given not in answer.out + answer.err
    assert run(home, "source", "secret", "shop", "--given", "--json", typed="short\n").error["code"] == "secret_too_short"
    assert run(home, "source", "secret", "nowhere", "--json").error["code"] == "source_not_found"
    assert run(home, "source", "add", "web", "--kind", "webhook", "--client", "--json").error["code"] == "source_invalid"
