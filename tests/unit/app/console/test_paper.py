"""Reports on paper say what their pages say, in both languages; nothing of the house's staff stands in them, and nothing is fetched."""

from __future__ import annotations

import io
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from app import published
from app.console import paper, releases
from privacy.errors import NotConfigured
from tests.fakes.answered import plan_months, store_month
from tests.house import House, sqlite_house

WITH = pytest.mark.skipif(not paper.offered(), reason="the extra `pdf` (WeasyPrint, with the system's Pango) is not installed")
WORDS = {"en": ("What was found", "What the noise means", "Where it comes from"), "zh_Hans_CN": ("发现", "噪声", "来源")}


@pytest.fixture(scope="module")
def house(template_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with sqlite_house(template_home, tmp_path_factory.mktemp("paper") / "home") as made:
        yield made


@pytest.fixture(scope="module")
def release(house: House) -> str:
    return store_month(house.services)


@pytest.fixture(scope="module")
def closed(house: House) -> list[str]:
    return plan_months(house.services)


def sheet(house: House, release: str, language: str = "en") -> str:
    """A release's page on paper, before it is laid out."""
    with house.app.test_request_context(headers={"Accept-Language": language.replace("_", "-")}):
        return paper.page(releases._paper(published.release(house.services, release)))


def pages(release: str) -> list[tuple[str, str]]:
    """Pages and their files on paper; of the diagnosis, a finding stands in the second month."""
    table = "?measure=enquiries&table=category"
    return [
        (f"/releases/{release}", f"/releases/{release}.pdf"),
        (f"/reports/free{table}", f"/reports/free.pdf{table}"),
        ("/reports/diagnose", "/reports/diagnose.pdf"),
    ]


@pytest.mark.parametrize("language", sorted(WORDS))
def test_a_sheet_has_finding_figures_numbers_margins_noise_and_origin_in_the_readers_language(
    house: House, release: str, language: str
) -> None:
    html = sheet(house, release, language)
    assert f'<html lang="{language.replace("_", "-")}"' in html
    assert all(word in html for word in (*WORDS[language], release, "σ"))
    assert html.count("<svg") == 3, "one figure a measure"
    assert len(re.findall(r"<tr>", html)) > 6
    assert " ± " in html or "±" in html


def test_a_sheet_holds_no_address_no_script_and_nobody_who_asked(house: House, release: str) -> None:
    html = re.sub(r'xmlns(:\w+)?="[^"]*"', "", sheet(house, release))
    assert not re.findall(r"(?:href|src)=|https?:|<script|<link|@example", html)
    title = re.search(r"<title>(.*?)</title>", html)
    assert title
    assert release not in title[1]
    assert not re.findall(r"<meta(?! charset)", html)


def test_a_very_long_table_is_cut_and_says_how_much_of_it_stands_in_the_file(house: House, release: str) -> None:
    with house.app.test_request_context():
        document = published.release(house.services, release)["document"]
        long = document | {"rows": document["rows"] * 200}
        found = paper.part(long, "test/long")
    assert found.figures == []
    assert len(found.tables[0].rows) == paper.MOST_ROWS
    assert "700 more rows" in found.tables[0].caption


def test_without_the_extra_there_is_no_button_and_the_address_says_what_to_install(
    house: House, release: str, closed: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "weasyprint", None)
    monkeypatch.setattr(paper, "offered", lambda: False)
    browser = house.browser("marketer")
    for page, file in pages(release):
        assert ".pdf" not in browser.get(page).get_data(as_text=True)
        answer = browser.get(file)
        assert answer.status_code == 409
        assert "pdf_not_installed" in answer.get_data(as_text=True)
    with pytest.raises(NotConfigured, match=r"piying\[pdf\]"):
        paper.written("<p>")


@WITH
@pytest.mark.parametrize("language", sorted(WORDS))
def test_the_file_says_what_the_sheet_says_and_of_itself_only_its_title(
    house: House, release: str, closed: list[str], language: str
) -> None:
    browser = house.browser("marketer")
    browser.client.set_cookie("piying_language", language)
    for page, file in pages(release):
        assert f'href="{file.partition("?")[0]}' in browser.get(page).get_data(as_text=True)
        answer = browser.get(file)
        raw = answer.get_data()
        assert (answer.status_code, answer.mimetype) == (200, "application/pdf")
        assert raw.startswith(b"%PDF-")
        _read(raw, language)


def _read(raw: bytes, language: str) -> None:
    """The text as a reader of PDF finds it, and what the file says of itself."""
    pypdf = pytest.importorskip("pypdf", reason="no reader of PDF is installed")
    read = pypdf.PdfReader(io.BytesIO(raw))
    text = "".join("".join(page.extract_text() for page in read.pages).split())
    assert all("".join(word.split()) in text for word in WORDS[language][:1])
    assert set(read.metadata or {}) <= {"/Title", "/Producer"}
    assert not re.search(r"@example|rel_[0-9a-f]{32}", str(read.metadata))


@WITH
def test_nothing_is_fetched_while_a_sheet_is_laid_out() -> None:
    """An address in a page is answered by nobody; the page is laid out without it."""
    laid = paper.laid_out(
        '<html lang="en"><head><title>T</title></head><body><img src="file:///etc/hostname" alt="gone"><p>stays</body></html>'
    )
    assert len(laid.pages) == 1
    assert (laid.metadata.title, laid.metadata.authors, laid.metadata.created) == ("T", [], None)
