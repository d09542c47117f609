"""The pages and routes of requests: the queue, one request, two officers, fresh passwords, files; and what they never say.

They stand on privacy.rights.desk, privacy.rights.looks, privacy.rights.copies, privacy.rights.corrections, app.requestacts, app.packing,
app.wiring.desk, app.console.requests, app.console.request_words, app.api.requests, app.answers.requests, app.cli.requests,
privacy.identity.correction, analytics.lake.copy and migrations.platform.first.requests.
"""

from __future__ import annotations

import io
import json
import re
import zipfile

import pytest
from click.testing import CliRunner

from app import cli, erasing
from app.console import gate
from tests.fakes import known
from tests.flow.test_people_pages import look_up, text_of
from tests.house import Browser, House, bearer

NEW = {"right": "access", "channel": "phone", "regime": "pipl", "language": "en", "received_on": "2026-06-15"}


@pytest.fixture
def house(sqlite_only: House) -> House:
    known.know(sqlite_only)
    return sqlite_only


def opened(officer: Browser, **changes: str) -> str:
    """The address of a request that was opened from a case."""
    value = changes.pop("value", known.PHONE)
    case = look_up(officer, value=value).rpartition("/")[2]
    answer = officer.post("/requests/new", {"case": case, **NEW, **changes})
    assert answer.status_code == 303, answer.get_data(as_text=True)
    return str(answer.headers["Location"])


def act(officer: Browser, path: str, act: str, status: int = 303, **said: str) -> str:
    answer = officer.post(f"{path}/acts", {"act": act, **said})
    assert answer.status_code == status, answer.get_data(as_text=True)
    return answer.get_data(as_text=True)


def reviewed(officer: Browser, path: str) -> None:
    act(officer, path, "ask_identity")
    act(officer, path, "check_identity", method="code", passed="yes")
    act(officer, path, "gather")
    act(officer, path, "reviewed")


def test_a_request_is_opened_from_a_case_served_and_closed(house: House) -> None:
    officer = house.browser("officer")
    path = opened(officer)
    number = path.rpartition("/")[2]
    assert "138****8000" in text_of(officer, path)
    reviewed(officer, path)
    act(officer, path, "decide", outcome="fulfilled")
    assert officer.get(f"{path}/delivery").status_code == 200
    wrong = officer.post(f"{path}/delivery", {"act": "deliver", "confirmation": "yes"})
    assert (wrong.status_code, "Type the number of the request to confirm" in wrong.get_data(as_text=True)) == (422, True)
    assert officer.post(f"{path}/delivery", {"act": "deliver", "confirmation": number}).status_code == 303
    taken = officer.post(f"{path}/package")
    assert (taken.status_code, taken.headers["Cache-Control"]) == (200, "no-store")
    assert "manifest.json" in zipfile.ZipFile(io.BytesIO(taken.data)).namelist()
    for language, word in (("en", "This is our answer"), ("zh", "答复如下")):
        assert word in text_of(officer, f"{path}/letters/answer?language={language}")
    act(officer, path, "close", 422)
    act(officer, path, "close", reason="done")
    page = text_of(officer, path)
    assert "It was delivered" in page
    assert known.PHONE not in page
    assert number in text_of(officer, "/requests?tab=closed")
    assert number not in text_of(officer, "/requests?tab=all")


def test_the_queue_has_tabs_filters_counts_and_a_file_of_exactly_the_match(house: House) -> None:
    officer = house.browser("officer")
    numbers = [opened(officer, right=right).rpartition("/")[2] for right in ("access", "deletion", "objection")]
    act(officer, f"/requests/{numbers[0]}", "assign", account=officer.account)
    assert numbers[0] in text_of(officer, "/requests?tab=mine")
    assert numbers[1] not in text_of(officer, "/requests?tab=mine")
    assert numbers[0] not in text_of(officer, "/requests?tab=unassigned")
    page = text_of(officer, "/requests?kind=deletion&regime=pipl&proven=no&since=2026-06-01")
    assert (numbers[1] in page, numbers[0] in page) == (True, False)
    assert text_of(officer, "/requests?kind=theft", 422)
    file = officer.get("/requests.csv?kind=deletion").get_data(as_text=True)
    assert (file.count("SR-"), numbers[1] in file) == (1, True)
    assert known.PHONE not in file
    for role in ("integrator", "marketer", "administrator"):
        assert house.browser(role).get("/requests").status_code == 403
    act(officer, f"/requests/{numbers[0]}", "assign", 422, account="usr_000000000000")


def test_a_deletion_is_agreed_to_by_a_second_officer_and_ends_in_a_certificate(house: House) -> None:
    house.flush()
    first, second = house.browser("officer"), house.browser("officer")
    path = opened(first, right="deletion")
    number = path.rpartition("/")[2]
    reviewed(first, path)
    page = text_of(first, f"{path}/decision")
    assert "Dry run" in page
    assert "A second person has to agree" in page
    act(first, path, "decide", outcome="fulfilled")
    own = first.post(f"{path}/delivery", {"act": "approve", "confirmation": number})
    assert (own.status_code, "Nobody approves their own decision" in own.get_data(as_text=True)) == (403, True)
    assert second.post(f"{path}/delivery", {"act": "approve", "confirmation": number}).status_code == 303
    assert first.post(f"{path}/delivery", {"act": "deliver", "confirmation": number}).status_code == 303
    erasing.run(house.services)
    certificate = first.get(f"{path}/certificate.json").get_json()
    assert certificate["erasure"].startswith("era_")
    assert "Erased" in text_of(first, path)
    assert "138****8000" not in text_of(first, look_up(first)), "nobody is found any more"


def test_what_carries_out_asks_for_the_password_again(house: House) -> None:
    officer = house.browser("officer")
    path = opened(officer)
    house.clock.forward(minutes=11)
    for answer in (officer.get(f"{path}/delivery"), officer.post(f"{path}/delivery", {"act": "deliver"}), officer.post(f"{path}/package")):
        assert (answer.status_code, answer.headers["Location"].partition("?")[0]) == (302, gate.REAUTHENTICATE)
    act(officer, path, "deliver", 422)


def test_a_refusal_without_a_reason_is_refused_and_its_words_are_not_kept(house: House) -> None:
    officer = house.browser("officer")
    path = opened(officer)
    assert "Choose a reason" in act(officer, path, "decide", 422, outcome="refused")
    assert "Identity has to be proven first" in act(officer, path, "decide", 409, outcome="refused", reason="nothing_held")
    assert "There is no such" not in act(officer, path, "dance", 422)
    long = act(officer, path, "comment", 422, words=f"{known.PHONE} " * 60)
    assert known.PHONE not in long
    assert officer.get("/requests/SR-BCDFG-HJKLM").status_code == 404


def test_a_request_of_nobody_looks_like_one_of_somebody_until_identity_is_proven(house: House) -> None:
    """Attack 55, as a person outside sees it: number, steps and answers are the same for somebody unknown."""
    officer = house.browser("officer")
    paths = [opened(officer, value=value) for value in (known.PHONE, "13900009999")]
    acts = [[act(officer, path, "ask_identity"), act(officer, path, "check_identity", method="code", passed="no")] for path in paths]
    assert acts[0][0].replace(paths[0], "") == acts[1][0].replace(paths[1], "")
    told = [re.findall(r'<p translate="no">(.*?)</p>', text_of(officer, f"{path}/letters/identity?language=zh")) for path in paths]
    bodies = [[line.replace(path.rpartition("/")[2], "") for line in lines] for path, lines in zip(paths, told, strict=True)]
    assert bodies[0] == bodies[1] != []


def test_the_api_tells_what_the_pages_tell_and_two_tokens_make_two_persons(house: House) -> None:
    first, second = bearer(house.token("officer")), bearer(house.token("officer"))
    body = {
        "identifier": {"type": "phone", "value": known.PHONE},
        "right": "restriction",
        "reason": "she wrote a letter",
        "channel": "letter",
    }
    made = house.client.post("/api/requests", json=body, headers=first)
    assert made.status_code == 201, made.get_data(as_text=True)
    assert known.PHONE not in made.get_data(as_text=True)
    base = f"/api/requests/{made.get_json()['number']}"

    def post(headers: dict[str, str], **said: object) -> int:
        return int(house.client.post(f"{base}/acts", json=said, headers=headers).status_code)

    assert post(first, act="check_identity", method="in_person", passed=True) == 201
    assert [post(first, act=name) for name in ("gather", "reviewed")] == [201, 201]
    assert post(first, act="decide", outcome="refused") == 422
    assert post(first, act="decide", outcome="fulfilled") == 201
    assert post(first, act="approve") in (403, 409)
    assert post(second, act="deliver") == 201
    told = house.client.get(base, headers=first)
    assert told.get_json()["flags"][0]["flag"] == "restricted"
    assert known.PHONE not in told.get_data(as_text=True)
    assert house.client.post(f"{base}/packages", headers=first).status_code == 404
    assert house.client.get(f"{base}/plan", headers=first).status_code == 200
    listed = house.client.get("/api/requests?kind=restriction", headers=first).get_json()["items"]
    assert [one["number"] for one in listed] == [made.get_json()["number"]]
    assert house.client.get("/api/requests?kind=theft", headers=first).status_code == 422


def test_a_500_on_a_request_tells_no_value(house: House, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture) -> None:
    """Attack 58, at the desk: an exception that quotes a number while a value is corrected."""
    officer = house.browser("officer")
    path = opened(officer, right="correction")
    reviewed(officer, path)
    act(officer, path, "decide", outcome="fulfilled")

    def fail(*arguments: object, **named: object) -> None:
        raise RuntimeError(f"cannot read {known.OTHER}")

    house.services.rights.__class__ = type("Failing", (type(house.services.rights),), {"correct": fail})
    answer = officer.post(f"{path}/delivery", {"act": "correct", "type": "phone", "value": known.OTHER})
    output = "".join(capfd.readouterr())
    assert answer.status_code == 500
    assert known.OTHER not in answer.get_data(as_text=True) + str(answer.headers) + output + caplog.text


def test_the_command_line_reads_the_identifier_from_stdin(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIYING_HOME", str(house.home))
    command = [
        "subject",
        "request",
        "open",
        "--type",
        "phone",
        "--right",
        "access",
        "--channel",
        "phone",
        "--reason",
        "she called",
        "--json",
    ]
    made = CliRunner().invoke(cli.piying, command, input=known.PHONE + "\n")
    assert made.exit_code == 0, made.output
    number = json.loads(made.output)["number"]
    assert known.PHONE not in made.output
    for rest in (["show", number], ["list"], ["act", number, "ask_identity"]):
        told = CliRunner().invoke(cli.piying, ["subject", "request", *rest, "--json"])
        assert (told.exit_code, known.PHONE in told.output) == (0, False)
        json.loads(told.output)
