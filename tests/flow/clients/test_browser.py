"""The browser SDKs of Segment and RudderStack, on a page of another origin in a real browser, with a key that anybody can read."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from tests.flow.clients.conftest import missing_for_browser, tallied
from tests.flow.clients.pages import shop
from tests.house import House, served

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = [pytest.mark.slow, pytest.mark.skipif(bool(missing_for_browser()), reason=missing_for_browser())]

SAY = {
    "segment": """async ([address, key]) => {
        const [sdk] = await AnalyticsNext.AnalyticsBrowser.load({ writeKey: key, cdnURL: address });
        sdk.setAnonymousId('anon-live-1');
        await sdk.track('Product Viewed', { product_id: 'P1' });
        await sdk.page('Shoes', 'Sale', { url: 'https://shop.example/sale' });
        await sdk.track('Product Added', { product_id: 'P1', quantity: 1, price: 20 });
    }""",
    "rudderstack": """async ([address, key]) => {
        const sdk = new rudderanalytics.RudderAnalytics();
        sdk.load(key, address, { configUrl: address, plugins: [] });
        await new Promise((resolve) => sdk.ready(resolve));
        sdk.setAnonymousId('anon-live-1');
        const sent = (call) => new Promise((resolve) => call(resolve));
        await sent((done) => sdk.track('Product Viewed', { product_id: 'P1' }, {}, done));
        await sent((done) => sdk.page('Shoes', 'Sale', { url: 'https://shop.example/sale' }, {}, done));
        await sent((done) => sdk.track('Product Added', { product_id: 'P1', quantity: 1, price: 20 }, {}, done));
    }""",
}
MESSAGES = 3


def visit(page: Page, origin: str, address: str, key: str, client: str) -> list[tuple[str, int]]:
    """What one visit to the shop sends: the paths of its messages with the status of each answer."""
    answers: list[tuple[str, int]] = []
    page.on("response", lambda answer: answers.append((answer.url, answer.status)) if answer.request.method == "POST" else None)
    page.goto(origin)
    page.evaluate(SAY[client], [address, key])
    for _ in range(600):
        if len(answers) >= MESSAGES:
            break
        page.wait_for_timeout(100)
    return [(url.removeprefix(address), status) for url, status in answers]


@pytest.mark.parametrize("client", SAY)
def test_a_browser_sdk_delivers_and_without_consent_not_one_row_is_kept(browser: Browser, shared_people: Any, client: str) -> None:
    with shop(client) as origin:
        house: House
        house, page_key, desk_key = shared_people(client, origins=(origin,))
        house.clock.now = datetime.now(UTC)
        with served(house.home) as (address, _):
            context = browser.new_context()
            answers = visit(context.new_page(), origin, address, page_key, client)
            assert [status for _, status in answers] == [200] * MESSAGES, answers
            assert tallied(house) == {"refused": MESSAGES}
            assert house.rows() == 0
            house.clock.now = datetime.now(UTC)
            assert house.grant(desk_key, [("cookie", "anon-live-1")]).status_code == 201
            house.clock.now += timedelta(seconds=1)
            answers = visit(context.new_page(), origin, address, page_key, client)
            assert [status for _, status in answers] == [200] * MESSAGES, answers
            context.close()
    assert tallied(house) == {"refused": MESSAGES, "stored": MESSAGES}
    assert house.rows() >= MESSAGES


@pytest.mark.parametrize("client", SAY)
def test_a_page_of_an_origin_that_was_not_named_sends_nothing(browser: Browser, shared_people: Any, client: str) -> None:
    with shop(client) as origin:
        house: House
        house, page_key, _ = shared_people(client, origins=("https://shop.example",))
        with served(house.home) as (address, _):
            context = browser.new_context()
            page = context.new_page()
            page.goto(origin)
            page.evaluate(f"""([address, key]) => {{ ({SAY[client]})([address, key]).catch(() => 0); }}""", [address, page_key])
            page.wait_for_timeout(2_000)
            context.close()
    assert tallied(house) == {}
