"""Imports on pages: the whole way of a file out of a form, what each role sees of it, and that nothing of it lies anywhere in clear."""

from __future__ import annotations

import http.client
import io
import re
import tempfile
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from app import acts, imports, jobs, uploads, wizard
from ingestion import registry
from tests.flow.importer import EXPECTED, MAPPING, announce, put, run_jobs, shop, state, till_file, uploaded
from tests.house import Browser, House, bearer, served

SECRETS = ("13812345678", "canary", "MC0000")


def source_of(house: House) -> str:
    with house.services.read_console() as tx:
        return str(registry.by_name(tx, "pos").facts.id)


def send(house: House, browser: Browser, content: bytes, name: str = "till 2026-05.csv", **more: Any) -> Any:
    """Sends the form as a browser does: the fields first, then the file. The test client itself would put a large one on the disk."""
    body = form({"csrf_token": browser.mark, "source": source_of(house), **more}, name, content)
    return browser.client.post("/imports/new", input_stream=io.BytesIO(body), content_length=len(body), content_type=FORM)


FORM = "multipart/form-data; boundary=b"


def form(fields: dict[str, str], name: str, content: bytes) -> bytes:
    """The bytes of a form with a file."""
    head = "".join(f'--b\r\nContent-Disposition: form-data; name="{field}"\r\n\r\n{value}\r\n' for field, value in fields.items())
    head += f'--b\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\nContent-Type: text/csv\r\n\r\n'
    return head.encode() + content + b"\r\n--b--\r\n"


def text(answer: Any) -> str:
    shown: str = answer.get_data(as_text=True)
    return shown


def test_a_file_goes_the_whole_way_from_a_form_to_its_result_and_back(house: House) -> None:
    """Sent, guessed, tried, run, counted, taken back; on every page rows that add up and never a value."""
    shop(house)
    browser = house.browser("integrator")
    assert "till" not in text(browser.get("/imports"))
    assert "pos" in text(browser.get("/imports/new"))
    sent = send(house, browser, till_file())
    assert sent.status_code == 303, text(sent)
    page = sent.headers["Location"]
    base = page.removesuffix("/mapping")
    shown = text(browser.get(page))
    assert "order_line" in shown
    assert 'translate="no">till 2026-05.csv' in shown
    version = re.search(r'name="version" value="(\w+)"', shown)
    assert version
    broken = browser.post(page, {"mapping": "record = 'none'", "version": version[1]})
    assert broken.status_code == 422
    assert "<code>record</code>" in text(broken)
    kept = browser.post(page, {"mapping": MAPPING.replace("\n", "\r\n"), "version": version[1]})
    assert kept.headers["Location"] == f"{base}/check"
    assert browser.post(page, {"mapping": MAPPING, "version": version[1]}).status_code == 412
    tried = text(browser.get(f"{base}/check"))
    assert "wrong_type" in tried
    assert "The first 20 faults" in tried
    assert house.rows() == 0
    assert browser.post(f"{base}/start").status_code == 303
    assert "It waits for the worker" in text(browser.get(base))
    run_jobs(house, "import")
    result = text(browser.get(base))
    numbers = [int(one.replace(",", "")) for one in re.findall(r"<dd>([\d,]+)</dd></div>", result.partition('class="equation"')[2])[:5]]
    assert numbers == list(EXPECTED.values())
    assert numbers[0] == sum(numbers[1:])
    assert "Mapping set" in result
    assert "Dry run" in result
    lines = text(browser.get(f"{base}/errors.csv")).splitlines()
    assert lines[0].endswith("row,path,rule")
    assert len(lines) == 1 + EXPECTED["quarantined"] + EXPECTED["refused"]
    assert "780 stored rows" in text(browser.get(f"{base}/undo"))
    house.clock.forward(minutes=11)
    asked = browser.post(f"{base}/undo")
    assert asked.headers["Location"].startswith("/reauthenticate?next=")
    fresh = house.browser(account=browser.account)
    assert fresh.post(f"{base}/undo").headers["Location"] == base
    run_jobs(house, "undo")
    assert "Taken back" in text(fresh.get(base))
    assert house.rows() == 0
    everything = shown + tried + result + "".join(lines) + text(fresh.get("/imports")) + text(fresh.get("/imports.csv"))
    assert not [one for one in SECRETS if one in everything]


def test_a_large_file_lies_nowhere_in_clear_while_it_arrives(sqlite_only: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """While the body is being read, every file that this process opened or made is looked at."""
    house = sqlite_only
    shop(house)
    folder = tmp_path / "temp"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    browser = house.browser("integrator")
    content = b"receipt,note\n" + b"R1,canary-canary-canary\n" * 200_000
    seen: list[str] = []
    sealed = uploads.acknowledge

    def look(*args: Any) -> None:
        sealed(*args)
        seen.append("block")
        for path in [*tmp_path.rglob("*"), *house.home.rglob("*"), *Path("/proc/self/fd").iterdir()]:
            try:
                if path.is_file() and path.stat().st_size < 100_000_000:
                    assert b"canary-canary" not in path.read_bytes(), path
            except OSError:
                continue

    monkeypatch.setattr(uploads, "acknowledge", look)
    assert send(house, browser, content).status_code == 303
    assert len(seen) == -(-len(content) // (1 << 20))
    assert list(folder.iterdir()) == []


@pytest.mark.slow
def test_the_real_server_puts_nothing_of_an_arriving_file_on_the_disk(sqlite_only: House) -> None:
    """Sent piece by piece; after each piece every file that the server's processes hold open or made is looked at."""
    house = sqlite_only
    house.source("pos", "file")
    house.clock.now = datetime.now(UTC)  # the server's clock is the machine's
    browser = house.browser("integrator")
    cookie = browser.client.get_cookie("piying")
    assert cookie
    held = f"{cookie.key}={cookie.value}"
    body = form({"csrf_token": browser.mark, "source": source_of(house)}, "large.csv", b"a,b\n" + b"1,canary-canary\n" * 1_500_000)
    folder = house.home / "temp-of-the-server"
    folder.mkdir()
    with served(house.home, {"TMPDIR": str(folder)}) as (address, process):
        connection = http.client.HTTPConnection(address.removeprefix("http://"), timeout=120)
        connection.putrequest("POST", "/imports/new")
        for name, value in (("Cookie", held), ("Content-Type", FORM), ("Content-Length", str(len(body)))):
            connection.putheader(name, value)
        connection.endheaders()
        for start in range(0, len(body), 4_000_000):
            connection.send(body[start : start + 4_000_000])
            assert not [path for path in opened_by(process.pid) + list(folder.rglob("*")) if holds(path, b"canary-canary")]
        with closing(connection), connection.getresponse() as answer:
            answer.read()
    assert (answer.status, answer.headers["Location"].endswith("/mapping")) == (303, True)
    assert list(folder.rglob("*")) == []


def opened_by(pid: int) -> list[Path]:
    """The files that a process and its children hold open, deleted ones included."""
    pids = [pid]
    for one in pids:
        for task in Path(f"/proc/{one}/task").iterdir():
            pids += [int(child) for child in (task / "children").read_text().split()]
    return [path for one in pids for path in Path(f"/proc/{one}/fd").iterdir()]


def holds(path: Path, words: bytes) -> bool:
    try:
        return path.is_file() and path.stat().st_size < 100_000_000 and words in path.read_bytes()
    except OSError:
        return False


def test_a_form_without_its_mark_is_refused_before_its_file_is_read(sqlite_only: House) -> None:
    house = sqlite_only
    shop(house)
    browser = house.browser("integrator")
    read: list[int] = []

    class Watched(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            read.append(size or 0)
            return super().read(size)

    body = (
        b'--b\r\nContent-Disposition: form-data; name="csrf_token"\r\n\r\nforged\r\n'
        b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.csv"\r\n\r\n' + b"x" * 10_000_000 + b"\r\n--b--\r\n"
    )
    stream = Watched(body)
    answer = browser.client.post(
        "/imports/new", input_stream=stream, content_length=len(body), content_type="multipart/form-data; boundary=b"
    )
    assert answer.status_code == 403
    assert stream.tell() < 1_000_000
    assert house.counts()["platform.file_import"] == 0
    late = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.csv"\r\n\r\nx\r\n--b--\r\n'
    assert browser.client.post("/imports/new", data=late, content_type="multipart/form-data; boundary=b").status_code == 403
    elsewhere = browser.client.post(
        "/imports/new", data=body, headers={"Sec-Fetch-Site": "cross-site"}, content_type="multipart/form-data; boundary=b"
    )
    assert elsewhere.status_code == 403


@pytest.mark.parametrize("case", ["cut short", "empty", "of no kind", "too large", "of no source", "not a form"])
def test_a_file_that_does_not_come_whole_leaves_nothing(sqlite_only: House, case: str, monkeypatch: pytest.MonkeyPatch) -> None:
    house = sqlite_only
    shop(house)
    browser = house.browser("integrator")
    if case == "cut short":
        head = f'--b\r\nContent-Disposition: form-data; name="csrf_token"\r\n\r\n{browser.mark}\r\n'
        head += f'--b\r\nContent-Disposition: form-data; name="source"\r\n\r\n{source_of(house)}\r\n'
        head += '--b\r\nContent-Disposition: form-data; name="file"; filename="a.csv"\r\n\r\n'
        answer = browser.client.post("/imports/new", data=head.encode() + b"x" * 3_000_000, content_type="multipart/form-data; boundary=b")
    elif case == "too large":
        monkeypatch.setattr("app.console.imports.wizard.take", _small(house))
        answer = send(house, browser, b"x" * 5_000)
    elif case == "not a form":
        answer = browser.post("/imports/new", {"source": "x"})
    else:
        answer = send(
            house,
            browser,
            b"" if case == "empty" else b"a,b\n1,2\n",
            "virus.exe" if case == "of no kind" else "a.csv",
            **({"source": "src_x"} if case == "of no source" else {}),
        )
    assert answer.status_code in (404, 413, 422), text(answer)
    folder = house.services.uploads_path
    assert not folder.exists() or list(folder.iterdir()) == []
    with house.services.read_intake() as tx:
        assert [one.state for one in imports.listing(tx, before=None, limit=10)] in ([], [imports.CANCELLED])


def _small(house: House) -> Any:
    def take(services: Any, name: str, filename: str, stream: Any, most: int, **more: Any) -> str:
        return original(services, name, filename, stream, 4_096, **more)

    original = wizard.take
    return take


def test_who_may_not_see_exact_numbers_sees_states_and_no_numbers(sqlite_only: House) -> None:
    house = sqlite_only
    token = shop(house)
    made = uploaded(house, token, till_file(), name="till.csv")
    administrator = house.browser("administrator")
    for path in ("/imports", f"/imports/{made}", f"/imports/{made}/progress", "/imports.csv"):
        assert "780" not in text(administrator.get(path)), path
    assert administrator.get(f"/imports/{made}/errors.csv").status_code == 403
    assert administrator.get("/imports/new").status_code == 403
    officer = house.browser("officer")
    assert "780" in text(officer.get("/imports"))
    assert "equation" in text(officer.get(f"/imports/{made}"))
    assert officer.post(f"/imports/{made}/undo").status_code == 403
    assert house.browser("marketer").get("/imports").status_code == 403


def test_an_integrator_meets_imports_of_own_sources_only(sqlite_only: House) -> None:
    house = sqlite_only
    shop(house)
    owner, other = house.browser("integrator"), house.browser("integrator")
    made = acts.add_source(house.services, actor=owner.account, name="mine", kind="file")
    page = send(house, owner, till_file(20), "mine.csv", source=made["source"]).headers["Location"]
    base = page.removesuffix("/mapping")
    assert "mine.csv" in text(owner.get("/imports"))
    assert "mine.csv" not in text(other.get("/imports")) + text(other.get("/imports.csv"))
    for path in (base, page, f"{base}/check", f"{base}/progress", f"{base}/undo", f"{base}/errors.csv"):
        assert other.get(path).status_code == 404, path
    for path in (page, f"{base}/start", f"{base}/cancellation", f"{base}/undo"):
        assert other.post(path, {"mapping": MAPPING}).status_code == 404, path
    assert send(house, other, b"a\n1\n", "a.csv", source=made["source"]).status_code == 404
    assert owner.post(f"{base}/cancellation").status_code == 303
    assert "Cancelled" in text(owner.get(base))


def test_the_list_is_filtered_by_its_address_and_its_file_holds_the_same_rows(sqlite_only: House) -> None:
    house = sqlite_only
    token = shop(house)
    uploaded(house, token, till_file(20), name="done.csv")
    announce(house, token, till_file(30), name="begun.csv")
    browser = house.browser("officer")
    assert {"done.csv", "begun.csv"} <= set(re.findall(r"(?:done|begun)\.csv", text(browser.get("/imports"))))
    filtered = text(browser.get("/imports?state=done&since=2020-01-01"))
    assert "done.csv" in filtered
    assert "begun.csv" not in filtered
    assert len(text(browser.get("/imports.csv?state=done")).splitlines()) == 2
    assert "No entry matches" in text(browser.get("/imports?state=undone"))
    assert browser.get("/imports?state=nothing").status_code == 422


def test_what_looks_like_a_persons_number_does_not_stand_in_a_files_name(sqlite_only: House) -> None:
    house = sqlite_only
    shop(house)
    browser = house.browser("integrator")
    send(house, browser, till_file(20), "C:\\\\files\\\\li 13812345678 of 20260501 li@example.com.csv")
    shown = text(browser.get("/imports"))
    assert "li … of 20260501 …" in shown
    assert not re.search(r"13812345678|example\.com|C:", shown)


@pytest.mark.parametrize(("record", "first"), [("order_line", "occurred_at"), ("product", "id")])
def test_a_template_begins_with_what_is_required(sqlite_only: House, record: str, first: str) -> None:
    answer = sqlite_only.browser("integrator").get(f"/imports/template.csv?record={record}")
    header = text(answer).removeprefix("\ufeff").strip().split(",")
    assert first in header[: len(header) // 2 + 1]
    assert sqlite_only.browser("integrator").get("/imports/template.csv?record=nothing").status_code == 422


def test_an_administrator_calls_a_job_off(sqlite_only: House) -> None:
    """One that waits ends at once, with its import; one that is over cannot be called off."""
    house = sqlite_only
    token = shop(house)
    made = announce(house, token, till_file(20))["import"]
    put(house, token, made, till_file(20), 0)
    job = house.client.get("/api/jobs?kind=import", headers=bearer(token)).get_json()["items"][0]
    assert job["cancellable"]
    assert house.client.post(f"/api/jobs/{job['id']}/cancellation", headers=bearer(token)).status_code == 403
    administrator = house.browser("administrator")
    assert "Call it off" in text(administrator.get(f"/jobs/{job['id']}"))
    assert "Call it off" not in text(house.browser("officer").get(f"/jobs/{job['id']}"))
    assert administrator.post(f"/jobs/{job['id']}/cancellation").status_code == 303
    assert "Cancelled" in text(administrator.get(f"/jobs/{job['id']}"))
    assert house.client.get(f"/api/imports/{made}", headers=bearer(token)).get_json()["state"] == "cancelled"
    over = house.client.post(f"/api/jobs/{job['id']}/cancellation", headers=bearer(house.token("administrator")))
    assert (over.status_code, over.get_json()["code"]) == (409, "job_not_cancellable")
    run_jobs(house, "import")
    assert house.rows() == 0


def test_a_running_import_stops_when_its_job_is_called_off(sqlite_only: House) -> None:
    house = sqlite_only
    token = shop(house)
    made = announce(house, token, till_file())["import"]
    put(house, token, made, till_file(), 0)
    administrator = bearer(house.token("administrator"))
    handlers = {
        "import": lambda job: uploads.run(
            house.services,
            job,
            measure=lambda source, receipt: house.client.post(f"/api/jobs/{job.id}/cancellation", headers=administrator),
        )
    }
    assert jobs.run_one(house.services.begin_jobs, handlers, house.services.process, clock=house.clock)
    assert state(house, token, made)["state"] == "cancelled"
    assert 0 < house.rows() < EXPECTED["stored"]
    assert house.client.get("/api/jobs?kind=import", headers=bearer(token)).get_json()["items"][0]["state"] == "cancelled"
