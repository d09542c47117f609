"""Every kind of report as a page and as a form: no fault of access, nothing blocked, and it fits, in both languages, narrow and wide."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser

from analytics.reports.kinds import KINDS
from tests.browser.conftest import SHOTS, Open
from tests.browser.walk import NARROW, WIDE, axe_violations, clipped, csp_violations, overflow, wear
from tests.fakes.answered import each_kind

pytestmark = pytest.mark.slow

LOOKS = {"en": (("light", WIDE), ("dark", NARROW)), "zh_Hans_CN": (("dark", WIDE), ("light", NARROW))}
FORMS = {"experiment": "&w.experiment=x1", "before_after": "&w.experiment=x1", "funnel": "&by=channel&w.channel=pos"}
"""What a form has to name before it can tell a price."""


@pytest.fixture(scope="module")
def releases(opened: Open) -> dict[str, str]:
    return each_kind(opened.house.services)


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_a_kind_of_report_is_read_and_asked_without_fault_everywhere(
    opened: Open, browser: Browser, releases: dict[str, str], kind: str
) -> None:
    faults: dict[str, list[str]] = {}
    for name, address in (("page", f"/releases/{releases[kind]}"), ("form", f"/reports/new/{kind}?from=2026-01{FORMS.get(kind, '')}")):
        for language, worn in LOOKS.items():
            tab, watch = opened.look(browser, "marketer", language=language, theme=worn[0][0], width=worn[0][1])
            answer = tab.goto(address)
            assert answer is not None
            assert answer.status == 200
            assert tab.locator("h1").count() == 1
            for theme, width in worn:
                wear(tab, theme, width)
                if SHOTS:
                    tab.screenshot(path=Path(SHOTS) / f"{name}-{kind}-{language[:2]}-{theme}-{width}.png", full_page=True)
                faults[f"{name} {language} {theme} {width}"] = [*axe_violations(tab), *overflow(tab), *clipped(tab)]
            faults[f"{name} {language} in the browser"] = [*csp_violations(tab), *watch.faults]
    assert {look: found for look, found in faults.items() if found} == {}
