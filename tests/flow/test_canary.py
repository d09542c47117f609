"""The canary: an invented person's identifiers, in six encodings, go in by every path and every failing path; then every byte is searched.

No hit is allowed anywhere but in the senders' own files, on both databases: not in tables, inbox, lake, catalogue, keys, temporary
files, logs at debug level, answers, metrics, or the arguments of processes (attacks 22 to 24, 46 and 58).
"""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
import tempfile
import urllib.error
import urllib.parse
import urllib.request
from datetime import timedelta
from pathlib import Path

import pyarrow as pa
import pytest
import sqlalchemy as sa

from app import people
from ingestion import verdicts
from privacy.deidentify import freetext
from tests.conftest import NOW
from tests.flow.canary import (
    PERSON,
    PLANTED,
    assert_clean,
    check_digit,
    encodings,
    hits,
    search_files,
    search_files_of,
    search_lake,
    search_tables,
)
from tests.flow.planting import (
    break_everything,
    consent_everything,
    fail_everything,
    import_everything,
    look_everybody_up,
    manage_everything,
    send_everything,
    write_files,
)
from tests.house import ROOT, House, basic, bearer, served, track


@pytest.fixture
def own_temp(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Temporary files of this test, and of whatever it starts, land here."""
    folder = tmp_path / "tmp"
    folder.mkdir()
    for variable in ("TMPDIR", "TMP", "TEMP"):
        monkeypatch.setenv(variable, str(folder))
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


def test_the_planted_values_are_what_they_claim_to_be() -> None:
    """A resident number with a right check digit, a card that passes Luhn: else nothing would have to find them."""
    number, card = PERSON["national_id"], PERSON["card"]
    assert check_digit(number[:17]) == number[17]
    digits = [int(digit) for digit in reversed(card)]
    assert sum(digit if place % 2 == 0 else sum(divmod(2 * digit, 10)) for place, digit in enumerate(digits)) % 10 == 0
    assert hits(f"x{PERSON['phone']}y") == {f"phone: {PERSON['phone'].encode()!r}", f"phone: {PERSON['phone'][-8:].encode()!r}"}
    assert len(PLANTED) >= 25


def test_the_search_finds_what_is_there(house: House, tmp_path: Path) -> None:
    """Controls: the senders' own files in all three formats, a count that somebody put a person into, a compressed list of verdicts."""
    files = tmp_path / "files"
    files.mkdir()
    for path in write_files(files):
        assert {hit.partition(":")[0] for place, raw in search_files(files) if place.startswith(str(path)) for hit in hits(raw)} == set(
            PERSON
        )
    assert_clean(search_tables(house.services))
    with house.services.begin_intake() as tx:
        for kind, (table, column) in {"email": ("dropped_field", "path"), "phone": ("tally", "reason")}.items():
            row = {"source_id": "s", "day": NOW.date(), "number": 1, "verdict": "x", column: PERSON[kind]}
            columns = [name for name in row if name != "verdict" or table == "tally"]
            names = sa.table(table, *(sa.column(name) for name in columns))
            tx.execute(sa.insert(names).values({name: row[name] for name in columns}))
        tell = [verdicts.Told(0, PERSON["openid"], "stored")]
        verdicts.put(tx, "req_x", "s", tell, now=NOW)
    found = {(place, hit.partition(":")[0]) for place, raw in search_tables(house.services) for hit in hits(raw)}
    assert found == {("platform.dropped_field", "email"), ("platform.tally", "phone"), ("request_verdict", "openid")}
    assert {hit.partition(":")[0] for _, raw in search_files(house.home) for hit in hits(raw)} == (
        {"email", "phone"} if house.services.stores.vault.on_sqlite else set()
    )


def test_a_person_planted_everywhere_is_found_nowhere(
    house: House, tmp_path: Path, own_temp: Path, capfd: pytest.CaptureFixture[str], every_line: pytest.LogCaptureFixture
) -> None:
    files = tmp_path / "files"
    files.mkdir()
    _, key = house.source("web")
    _, client = house.source("browser", public=True)
    officer = bearer(house.token("officer"))
    assert house.grant(key, [("customer_no", "u-1")]).status_code == 201
    with house.services.begin_intake():
        pass
    house.grant(key, [("customer_no", "u-1")], at=(NOW - timedelta(days=200)).isoformat())
    house.clock.forward(seconds=1)
    before = set(Path("/tmp").iterdir())
    told = [
        *send_everything(house, key, client),
        *fail_everything(house, key),
        *consent_everything(house, key, officer),
        *import_everything(house, files),
        *break_everything(house, key),
        *manage_everything(house),
        *look_everybody_up(house),
    ]
    assert house.rows() > 500
    assert_clean(iter([("answers", "\n".join(told).encode())]))
    assert_clean(search_tables(house.services))
    house.flush()
    for kind in PERSON:
        types = {"card": "member_card", "name": "customer_no"}
        found = people.find(house.services, types.get(kind, kind), PERSON[kind], purpose="rights_request", reason="test", actor="test")
        assert_clean(iter([("find", json.dumps(found, ensure_ascii=False).encode())]))
    assert_clean(search_tables(house.services))
    assert_clean(search_lake(house.services))
    assert_clean(search_files(house.home))
    assert_clean(search_files(own_temp))
    house.close()
    assert_clean(search_files(house.home))
    new = set(Path("/tmp").iterdir()) - before
    assert_clean(item for path in new if path != tmp_path and path.is_file() for item in search_files_of(path))
    output = "".join(capfd.readouterr())
    assert "unhandled_error" in output
    assert_clean(iter([("output", output.encode()), ("log records", logged(every_line))]))


def logged(lines: pytest.LogCaptureFixture) -> bytes:
    """Every record of every library, with its arguments and traceback."""
    form = logging.Formatter()
    return "\n".join(form.format(record) + repr(record.args) for record in lines.records).encode()


@pytest.mark.parametrize("text", [f"openid：{PERSON['openid']}", f"收件人：{encodings('name')[1]}", f"收件人：{encodings('name')[2]}"])
def test_a_text_that_says_what_its_value_is_loses_it(text: str) -> None:
    clean = freetext.scrub(pa.array([text]))[0][0].as_py()
    assert clean is None or not hits(clean)


@pytest.mark.slow
def test_processes_show_nobody_in_their_arguments_output_or_files(sqlite_only: House, tmp_path: Path, own_temp: Path) -> None:
    """A real server takes good and bad requests; the commands read the identifier from their input."""
    house = sqlite_only
    _, key = house.source("web")
    house.close()
    seen = []
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PIYING_")} | {"PIYING_HOME": str(house.home)}
    command = [
        sys.executable,
        "-m",
        "app.cli",
        "consent",
        "record",
        "--type",
        "phone",
        "--purpose",
        "analytics.statistics",
        "--state",
        "granted",
    ]
    with served(house.home) as (address, server):
        recording = subprocess.Popen(
            command, cwd=ROOT, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        seen.append(arguments(recording.pid))
        out, err = recording.communicate(PERSON["phone"].encode() + b"\n", timeout=60)
        assert recording.returncode == 0, err.decode()[-500:]
        for _, text in PLANTED:
            for body in (json.dumps({"batch": [track(1, user=text)]}).encode(), text.encode()):
                asked = urllib.request.Request(
                    f"{address}/v1/batch?x={urllib.parse.quote(text)}",
                    data=body,
                    headers={**basic(key), "User-Agent": urllib.parse.quote(text)},
                )
                try:
                    with urllib.request.urlopen(asked, timeout=20) as answer:
                        seen.append(answer.read())
                except urllib.error.HTTPError as error:
                    seen.append(error.read())
        children = Path(f"/proc/{server.pid}/task/{server.pid}/children").read_text().split()
        seen += [arguments(pid) for pid in (server.pid, *map(int, children))]
    assert_clean(("processes", one) for one in (*seen, out, err))
    assert_clean(search_files(house.home))
    assert_clean(search_files(own_temp))


def arguments(pid: int) -> bytes:
    """What anybody on the machine sees of a process, and its environment."""
    found = b""
    for name in ("cmdline", "environ"):
        try:
            found += Path(f"/proc/{pid}/{name}").read_bytes()
        except OSError:
            continue
    return found
