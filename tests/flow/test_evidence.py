"""Evidence from end to end: an officer looks somebody up, has a pack made, hands it out; a witness outside cosigns; an outsider verifies."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from werkzeug.test import TestResponse

from app import evidence, jobs
from app.access import Caller, matrix
from privacy.audit import verify as verifier
from privacy.audit import witness
from privacy.audit.log import LogPayload
from privacy.errors import Conflict, Locked, NotFound
from tests.flow.canary import NEEDLES, PERSON
from tests.house import Browser, House, bearer, sqlite_house

LOOK = {"type": "phone", "value": PERSON["phone"], "purpose": "complaint", "reason": "asks what is held"}


@pytest.fixture
def keyed(tmp_path: Path) -> tuple[str, Path]:
    return witness.make_key(tmp_path / "witness.key", "witness.example/w1"), tmp_path / "witness.key"


@pytest.fixture
def house(template_home: Path, tmp_path: Path, keyed: tuple[str, Path]) -> Iterator[House]:
    with sqlite_house(template_home, tmp_path / "home", {"PIYING_LOG_WITNESSES": keyed[0]}) as made:
        _, key = made.source("shop")
        made.grant(key, [("phone", PERSON["phone"]), ("phone", "13900000001")])
        yield made


def actions(house: House) -> list[str]:
    with house.services.read_console() as tx:
        return list(tx.scalars(sa.select(LogPayload.action).order_by(LogPayload.seq)))


def caller(browser: Browser) -> Caller:
    return Caller(account_id=browser.account, role="officer", permissions=frozenset(matrix()["officer"]), token_id="")


def work(house: House) -> None:
    while jobs.run_one(house.services.begin_jobs, house.services.handlers, "test", clock=house.clock):
        pass


def asked(officer: Browser, **form: str) -> str:
    answer = officer.post("/evidence/new", {"redaction": "commitments", "language": "zh", **form})
    assert answer.status_code == 303, answer.get_data(as_text=True)
    return answer.headers["Location"].rpartition("/")[2]


def checked(house: House, raw: bytes, **more: Any) -> dict[str, Any]:
    return verifier.verify_bundle(io.BytesIO(raw), keys=house.services.oversight.verifier_keys(), **more)


# ── packs ──────────────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_an_officer_has_a_pack_made_of_a_person_and_an_outsider_verifies_it(house: House) -> None:
    officer = house.browser("officer")
    case = officer.post("/people", LOOK).headers["Location"].rpartition("/")[2]
    assert case in officer.get("/evidence/new").get_data(as_text=True)
    pack = asked(officer, scope="subject", case=case, contents="receipts")
    assert "data-poll" in officer.get(f"/evidence/{pack}").get_data(as_text=True)
    work(house)
    page = officer.get(f"/evidence/{pack}").get_data(as_text=True)
    raw = officer.get(f"/evidence/{pack}/pack.zip").get_data()
    told = checked(house, raw)
    assert (told["ok"], told["complete"]) == (True, None)
    assert told["opened"] >= 3, "the look-up, whom it showed, the case"
    assert sum(told["closed"].values()) > 0
    assert evidence.one(house.services, pack)["sha256"] in page
    with zipfile.ZipFile(io.BytesIO(raw)) as archive:
        names = archive.namelist()
        assert sum(name.startswith("receipts/rcp_") for name in names) == 2
        assert "核验" in archive.read("statement.txt").decode()
    assert not [needle for needle in NEEDLES if needle in raw], "a pack names nobody"
    listed = officer.get("/evidence").get_data(as_text=True)
    assert pack in listed
    assert actions(house)[-4:].count("evidence.download") == 1
    assert {"evidence.order", "log.bundle", "evidence.download"} <= set(actions(house))


def test_a_pack_lies_sealed_is_counted_expires_and_ends_with_its_key(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(evidence, "DOWNLOADS", 2)
    officer = house.browser("officer")
    pack = asked(officer, scope="period", since="2026-06-01")
    with pytest.raises(Conflict):
        evidence.download(house.services, pack, caller=caller(officer))
    work(house)
    raw = b"".join(evidence.download(house.services, pack, caller=caller(officer)))
    assert checked(house, raw)["complete"]
    (file,) = evidence.folder(house.services).glob("*.sealed")
    assert b"entries.jsonl" not in file.read_bytes()
    assert officer.get(f"/evidence/{pack}/pack.zip").status_code == 200
    assert officer.get(f"/evidence/{pack}/pack.zip").status_code == 410
    house.clock.forward(days=15)
    with pytest.raises(NotFound):
        evidence.download(house.services, pack, caller=caller(officer))
    assert evidence.expire(house.services) == {"evidence": 1}
    assert evidence.expire(house.services) == {"evidence": 0}
    assert not list(evidence.folder(house.services).glob("*"))
    assert evidence.one(house.services, pack)["state"] == "over"


def test_a_pack_of_another_officers_case_of_nobody_or_of_nothing_is_refused(house: House) -> None:
    officer, other = house.browser("officer"), house.browser("officer")
    case = other.post("/people", LOOK).headers["Location"].rpartition("/")[2]
    form = {"redaction": "commitments", "language": "en"}
    for wrong in ({"scope": "subject", "case": case}, {"scope": "subject"}, {"scope": "request"}, {"scope": "period"}, {"scope": "x"}):
        assert officer.post("/evidence/new", form | wrong).status_code in (404, 422)
    assert officer.post("/evidence/new", form | {"scope": "period", "since": "yesterday"}).status_code == 422
    assert evidence.packs(house.services) == []


def test_a_pack_that_is_sent_in_is_verified_and_kept_nowhere(house: House) -> None:
    officer = house.browser("officer")
    raw = io.BytesIO()
    evidence.write(house.services, evidence.Asked("whole", contents=frozenset({"policies", "budget"})), raw, actor="cli")

    def send(content: bytes) -> TestResponse:
        return officer.post("/evidence/checks", {"file": (io.BytesIO(content), "pack.zip")}, content_type="multipart/form-data")

    good = send(raw.getvalue())
    assert good.status_code == 200
    assert "The pack holds" in good.get_data(as_text=True)
    changed = raw.getvalue().replace(b'"kind":"config"', b'"kind":"system"', 1)
    assert changed != raw.getvalue()
    assert "does not hold" in send(changed).get_data(as_text=True)
    assert "does not hold" in send(b"PK").get_data(as_text=True)
    assert actions(house).count("evidence.verify") == 3
    assert not list(house.services.settings.temp_path.glob("*"))


def test_programs_ask_for_packs_once_a_key(house: House) -> None:
    headers = bearer(house.token("officer"))
    body = {"scope": "period", "since": "2026-06-01", "until": "2026-06-30", "contents": ["policies"]}
    first = house.client.post("/api/audit/packs", json=body, headers={**headers, "Idempotency-Key": "k1"})
    again = house.client.post("/api/audit/packs", json=body, headers={**headers, "Idempotency-Key": "k1"})
    assert (first.status_code, again.get_json()) == (202, first.get_json())
    work(house)
    pack = first.get_json()["pack"]
    (shown,) = house.client.get("/api/audit/packs", headers=headers).get_json()["items"]
    assert (shown["pack"], shown["state"], shown["scope"]) == (pack, "ready", "period")
    answer = house.client.get(f"/api/audit/packs/{pack}/content", headers=headers)
    assert checked(house, answer.get_data())["ok"]
    assert house.client.get(f"/api/audit/packs/{pack}", headers=headers).get_json()["downloads"] == 1


def test_the_tools_for_outsiders_are_handed_out_as_they_are(house: House) -> None:
    officer = house.browser("officer")
    for name, module in (("verify.py", verifier), ("witness.py", witness)):
        assert officer.get(f"/evidence/tools/{name}").get_data() == Path(module.__file__ or "").read_bytes()
    assert officer.get("/evidence/tools/keys.py").status_code == 404


# ── a witness ──────────────────────────────────────────────────────────────────────────────────────────────────────────────────


def cosigned(house: House, state: Path, keyed: tuple[str, Path], *, first: bool = False) -> str:
    headers = bearer(house.token("officer"))
    seen = witness.recall(state, house.services.oversight.verifier_keys())
    told = house.client.get(f"/api/audit/checkpoints/latest?old={0 if seen is None else seen.size}", headers=headers).get_json()
    keys = house.services.oversight.verifier_keys()
    return witness.check(state, told["request"], keys, witness.open_key(keyed[1]), now=1_781_497_800, first=first)


def test_a_witness_follows_the_log_and_the_page_says_how_far(house: House, keyed: tuple[str, Path], tmp_path: Path) -> None:
    officer, state, headers = house.browser("officer"), tmp_path / "state.json", bearer(house.token("officer"))
    assert "No witness outside" in officer.get("/access-log").get_data(as_text=True)
    house.services.sign_checkpoint()
    first = cosigned(house, state, keyed, first=True)
    assert house.client.post("/api/audit/cosignatures", json={"note": first}, headers=headers).get_json()["new"] == 1
    assert house.client.post("/api/audit/cosignatures", json={"note": first}, headers=headers).get_json()["new"] == 0
    house.services.sign_checkpoint()
    second = cosigned(house, state, keyed)
    assert house.client.post("/api/audit/cosignatures", json={"note": second}, headers=headers).get_json()["witnesses"] == [
        "witness.example/w1"
    ]
    assert actions(house).count("log.cosigned") == 2
    assert "Cosigned by" in officer.get("/access-log").get_data(as_text=True)
    house.services.sign_checkpoint()
    raw = io.BytesIO()
    evidence.write(house.services, evidence.Asked("whole"), raw, actor="cli")
    told = checked(house, raw.getvalue(), witnesses=[keyed[0]])
    assert 0 < told["witnessed_size"] <= told["size"]


def test_a_line_of_nobody_known_or_for_another_head_is_refused(house: House, keyed: tuple[str, Path], tmp_path: Path) -> None:
    headers = bearer(house.token("officer"))
    house.services.sign_checkpoint()
    note = cosigned(house, tmp_path / "state.json", keyed, first=True)
    for wrong, status in (
        (note.replace("witness.example/w1", "witness.example/w2"), 422),
        (note.replace("\n", "\n", 1) + "x", 422),
        ("x", 422),
    ):
        assert house.client.post("/api/audit/cosignatures", json={"note": wrong}, headers=headers).status_code == status
    assert house.client.get("/api/audit/checkpoints/latest?old=99999", headers=headers).status_code == 422
    assert house.client.get("/api/audit/checkpoints/latest", headers=bearer(house.token("marketer"))).status_code == 403


def test_the_witness_convicts_an_operator_who_rewrote_the_log(house: House, keyed: tuple[str, Path], tmp_path: Path) -> None:
    """Attacks 40 to 42 with a superuser and the key: triggers dropped, a middle entry rewritten, hashes and head made to agree, signed again."""
    from tests.unit.privacy.audit.tampering import rewrite, rewrite_time

    state = tmp_path / "state.json"
    house.services.sign_checkpoint()
    cosigned(house, state, keyed, first=True)
    house.browser("officer").get("/access-log")
    with house.services.stores.platform_owner.begin() as tx:
        for (name,) in tx.execute(sa.text("SELECT name FROM sqlite_master WHERE type = 'trigger'")).all():
            tx.execute(sa.text(f'DROP TRIGGER "{name}"'))
        rewrite(tx, rewrite_time(1))
        tx.execute(sa.text("DELETE FROM checkpoint"))
    with pytest.raises(Locked):
        house.services.sign_checkpoint()
    house.services.oversight.checkpoint()
    assert house.services.oversight.check()["ok"], "nothing inside the database contradicts it"
    with pytest.raises(witness.Refused) as caught:
        cosigned(house, state, keyed)
    assert caught.value.code == witness.FORK


@pytest.mark.slow
def test_the_witness_runs_as_a_program_over_a_real_server(house: House, keyed: tuple[str, Path], tmp_path: Path) -> None:
    from tests.house import served

    house.clock.now = datetime.now(UTC)  # a process has the real clock, and a token ends
    house.services.sign_checkpoint()
    token = tmp_path / "token"
    token.write_text(house.token("officer"), encoding="utf-8")
    keys = [option for key in house.services.oversight.verifier_keys() for option in ("--log", key)]
    with served(house.home, {"PIYING_LOG_WITNESSES": keyed[0]}) as (address, _):
        command = [sys.executable, "-I", witness.__file__, "check", str(tmp_path / "state.json"), *keys, "--key", str(keyed[1])]
        command += ["--url", address, "--token-file", str(token)]
        refused = subprocess.run(command, capture_output=True, text=True, check=False)
        assert refused.returncode == witness.MEMORY
        done = subprocess.run([*command, "--first"], capture_output=True, text=True, check=False)
        again = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, again.returncode) == (0, 0), done.stderr
    assert again.stdout == done.stdout, "the same head, the same line"
    assert [one["witness"] for one in house.services.evidence.anchors()] == ["witness.example/w1"]


def test_the_statement_of_a_pack_is_in_the_manifest_and_the_manifest_names_its_scope(house: House) -> None:
    raw = io.BytesIO()
    made = evidence.write(house.services, evidence.Asked("period", since=None, until=house.clock().date()), raw, actor="cli")
    with zipfile.ZipFile(raw) as archive:
        said = json.loads(archive.read("manifest.json"))
    assert said["scope"]["kind"] == "period"
    assert set(said["files"]) == {"entries.jsonl", "checkpoints.json", "keys.json", "statement.txt"}
    assert made["root"] == said["root"]
