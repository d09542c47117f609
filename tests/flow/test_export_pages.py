"""The pages of exports: a marketer asks, an officer sees why and decides, the file leaves sealed; each sees what is theirs."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from werkzeug.test import TestResponse

from privacy.export import people
from tests import house as houses
from tests.flow.test_exports import Office
from tests.gatehouse import PHONES, Scene, opened


def text(answer: TestResponse, status: int = 200) -> str:
    told = answer.get_data(as_text=True)
    assert answer.status_code == status, told[:2_000]
    return told


@pytest.fixture(scope="module")
def office_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pages")
    houses.make_home(folder / "empty", {}, houses.Clock())
    with houses.sqlite_house(folder / "empty", folder / "home") as made:
        Scene(made)
    return folder / "home"


@pytest.fixture
def office(office_home: Path, tmp_path: Path) -> Iterator[Office]:
    with houses.sqlite_house(office_home, tmp_path / "home") as made:
        yield Office(made)


def form(office: Office, **changes: str) -> dict[str, str]:
    return {
        "segment": office.segment, "recipient": office.recipient, "channel": "sms", "form": "sms", "fields": "phone", "days": "5",
        "justification": "A message about the new tea",
    } | changes  # fmt: skip


def test_a_marketers_day_and_an_officers_approval(office: Office) -> None:
    """From the empty list to the sealed file; the marketer's pages never tell how many, the officer's tell why each is left out."""
    marketer, officer = office.house.browser("marketer"), office.house.browser("officer")
    assert "No list asked for yet" in text(marketer.get("/exports"))
    choice = text(marketer.get(f"/exports/new?segment={office.segment}"))
    assert "Lantern Messages (invented) · CN" in choice
    asking = text(marketer.get(f"/exports/new?segment={office.segment}&recipient={office.recipient}"))
    assert 'value="phone" checked' in asking, "every form needs the only column that was agreed"
    for offered in ('value="email"', 'value="meta"', 'value="sex"'):
        assert offered not in asking, "what the recipient is not registered for is not offered"
    assert "in force until" in asking
    made = marketer.post("/exports/new", form(office))
    assert made.status_code == 303, made.get_data(as_text=True)
    page = made.location
    assert "Waits for a second person" in text(marketer.get(page))
    protected = text(marketer.post(f"{page}/numbers", {}))
    assert "Surely enough" in protected
    office.allow(PHONES[:3], office.share, "withdrawn")
    exact = text(officer.post(f"{page}/numbers", {}))
    rows = re.findall(r'<th scope="row">(.*?)</th><td class="k-number">([\d,]+)</td>', exact)
    assert (rows[0][1], rows[-1]) == (str(len(PHONES)), ("Would leave now", str(len(PHONES) - 3)))
    assert "No separate consent to the recipient" in exact
    for act in ("approve", "release"):
        assert officer.post(f"{page}/decisions", {"do": act}).status_code == 303
    mine, theirs = text(marketer.get(page)), text(officer.get(page))
    assert "Released" in mine
    assert "Who is left out" not in mine
    assert f">{len(PHONES) - 3}<" not in mine
    assert "Who is left out" in theirs
    taken = officer.post(f"{page}/file", {})
    assert {row["phone"] for row in opened([taken.data])} == set(PHONES[3:])
    assert marketer.post(f"{page}/file", {}).status_code == 403
    assert "Women" in text(officer.get("/exports?state=released"))
    export = page.rpartition("/")[2]
    assert f"{len(PHONES) - 3} people stand in it." in text(officer.get(f"{page}/revocation"))
    assert "Type the number of the export." in text(officer.post(f"{page}/revocation", {"confirmation": "yes"}), 422)
    assert officer.post(f"{page}/revocation", {"confirmation": export, "reason": "A wrong text"}).status_code == 303
    assert "A wrong text" in text(officer.get(page))
    assert "There is nothing to call back" in text(officer.get(f"{page}/revocation"))
    assert officer.post(f"{page}/file", {}).status_code == 410


def test_what_is_refused_is_said_beside_its_field(office: Office) -> None:
    """And what was typed stays."""
    marketer = office.house.browser("marketer")
    for changes, said in (
        ({"justification": "tea"}, "Say in a sentence what it is for."),
        ({"days": "91"}, "A list is good for one to ninety days."),
        ({"channel": "email"}, "The recipient is not registered for this channel or purpose."),
        ({"fields": "sex"}, "The form has no use for one of these columns, or none is chosen."),
    ):
        assert said in marketer.post("/exports/new", form(office, **changes)).get_data(as_text=True)
    assert "No list asked for yet" in text(marketer.get("/exports"))


def test_whoever_asked_takes_it_back_and_an_officer_says_why_not(office: Office) -> None:
    """Both are seen by the other; in Chinese, too."""
    marketer, officer = office.house.browser("marketer"), office.house.browser("officer")
    first, second = (marketer.post("/exports/new", form(office)).location for _ in range(2))
    assert marketer.post(f"{first}/cancellation", {}).status_code == 303
    assert "Taken back" in text(officer.get(first))
    assert "Say why." in officer.post(f"{second}/decisions", {"do": "reject", "reason": " "}).get_data(as_text=True)
    assert officer.post(f"{second}/decisions", {"do": "reject", "reason": "The notice does not say so."}).status_code == 303
    assert "The notice does not say so." in text(marketer.get(second))
    assert "已驳回" in text(marketer.get(second, headers={"Accept-Language": "zh-CN"}))


def test_the_queue_says_what_is_unusual_and_leads_from_one_request_to_the_next(office: Office) -> None:
    """Columns by heat, the first list for a recipient; afterwards the comparison with the last one; a marketer sees none of it."""
    marketer, officer = office.house.browser("marketer"), office.house.browser("officer")
    first = marketer.post("/exports/new", form(office)).location
    office.house.clock.forward(minutes=1)
    second = marketer.post("/exports/new", form(office, days="9")).location
    queue = text(officer.get("/exports?state=requested"))
    assert "2 requests wait for a second person." in queue
    assert queue.count("First list for this recipient") == 2
    assert queue.count("High") == 2
    assert "60 s" in queue, "how long the first one waits"
    assert f'href="{first}"' in queue[: queue.index("Show only those that wait")], "the oldest is the first to be decided about"
    assert f'rel="next" href="{second}"' in text(officer.get(first))
    assert f'rel="prev" href="{first}"' in text(officer.get(second))
    assert "2" in re.search(r"Exports waiting for approval.*?tile-value\">(\d+)", text(officer.get("/")), re.DOTALL)[1]  # type: ignore[index]
    for act in ("approve", "release"):
        assert officer.post(f"{first}/decisions", {"do": act}).status_code == 303
    compared = text(officer.get(second))
    assert "Beside the last one of this recipient" in compared
    assert f"{len(PHONES)} people left in it." in compared
    assert compared.count("differs") == 1, "only the days"
    assert "First list for this recipient" not in compared
    for page in ("/exports", first, second):
        seen = text(marketer.get(page))
        assert "unusual" not in seen
        assert "Beside the last one" not in seen
    assert "Released" in text(marketer.get("/"))
    assert officer.post(f"{second}/decisions", {"do": "publish"}).status_code == 422


def test_what_a_request_would_mean_is_said_while_it_is_filled_in(office: Office) -> None:
    """The same words by a button where no script runs; nothing is asked for."""
    marketer = office.house.browser("marketer")
    said = text(marketer.post("/exports/help", form(office)))
    assert "Telephone of people in “Women” would go to Lantern Messages (invented)." in said
    for consent in ("marketing.profiling", "share.lantern-sms", "marketing.channel.sms"):
        assert consent in said
    wrong = text(marketer.post("/exports/new", form(office, fields="sex", do="say")))
    assert "has no use for: Sex." in wrong
    assert "A message about the new tea" in wrong
    assert "Choose whose people, and to whom." in text(marketer.get(f"/exports/new?segment={office.segment}&recipient=rec_nobody"))
    assert "No list asked for yet" in text(marketer.get("/exports"))


def test_nobody_decides_about_their_own_request_and_the_page_says_so(office: Office) -> None:
    officer = office.house.browser("officer")
    made = office.door.request(office.wish(segment=office.segment, use="marketing"), actor=officer.account)
    page = text(officer.get(f"/exports/{made['id']}"))
    assert page.count("disabled aria-describedby") == 2
    assert "Nobody decides about what they asked for themselves." in page
    refused = officer.post(f"/exports/{made['id']}/decisions", {"do": "approve"})
    assert refused.status_code == 403


def test_a_leaked_sample_is_sent_in_and_kept_nowhere(office: Office) -> None:
    """An officer alone; a file without marks proves nothing, and what is no CSV says so."""
    officer, marketer = office.house.browser("officer"), office.house.browser("marketer")
    assert marketer.get("/exports/trace").status_code == 403
    assert "A thousand rows are enough." in text(officer.get("/exports/trace"))
    sent = {"file": (io.BytesIO(b"phone\r\n+8613800000001\r\n"), "sample.csv")}
    assert "No mark of any recipient was found." in text(officer.post("/exports/trace", sent, content_type="multipart/form-data"))
    broken = {"file": (io.BytesIO(b"\xff\xfe\x00"), "sample.csv")}
    assert "The file is no CSV in UTF-8" in text(officer.post("/exports/trace", broken, content_type="multipart/form-data"), 422)


def test_people_who_said_no_after_a_list_left_are_counted_for_officers_alone(office: Office) -> None:
    marketer, officer = office.house.browser("marketer"), office.house.browser("officer")
    page = marketer.post("/exports/new", form(office)).location
    for act in ("approve", "release"):
        assert officer.post(f"{page}/decisions", {"do": act}).status_code == 303
    assert "Nobody in it waits to be taken out at the recipient." in text(officer.get(page))
    office.delivery.removing = set(people.handles(office.ring, office.people(PHONES[:3])))
    assert "3 people in it said no since" in text(officer.get(page))
    assert "said no since" not in text(marketer.get(page))
