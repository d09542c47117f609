"""Live events as an integrator sees them: logged when opened, nothing of a person, nothing that tells one person from another (0023)."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from typing import Any

import pyarrow as pa
import pytest
import sqlalchemy as sa

from ingestion import live
from privacy.audit.log import LogPayload
from privacy.identity import vault
from privacy.identity.normalise import normalise
from privacy.vocabulary import IdentifierType
from tests.flow.canary import hits
from tests.flow.planting import fail_everything, send_everything
from tests.house import Browser, House, open_house, track

KINDS = ("known", "unknown", "withdrawn", "erased", "anonymous")


def page(browser: Browser, source: str, query: str = "") -> str:
    answer = browser.get(f"/sources/{source}/live{query}")
    assert answer.status_code == 200, answer.get_data(as_text=True)
    return answer.get_data(as_text=True)


def fragment(browser: Browser, source: str, query: str = "") -> str:
    return browser.get(f"/sources/{source}/live/rows{query}").get_data(as_text=True)


def opened(house: House) -> list[str]:
    with house.services.read_console() as tx:
        found = tx.execute(sa.select(LogPayload.actor).where(LogPayload.action == "source.live"))
        return list(found.scalars())


def ring(house: House, source: str) -> list[dict[str, Any]]:
    with house.services.read_console() as tx:
        return live.newest(tx, source)


def test_opening_is_logged_once_in_the_opener_s_name_and_rows_show_in_the_next_fragment(house: House) -> None:
    source, key = house.source("web")
    house.batch([track(1)], key)
    assert house.counts()["platform.live_row"] == 0
    one = house.browser("integrator")
    assert "Waiting for the next event" in page(one, source)
    house.batch([track(2, event="Product Added")], key)
    assert "product_added" in fragment(one, source)
    assert "product_added" in page(one, source)
    assert opened(house) == [one.account]


def test_without_an_own_watch_there_is_nothing_to_read_also_while_a_colleague_watches(sqlite_only: House) -> None:
    house = sqlite_only
    source, key = house.source("web")
    one, two = house.browser("integrator"), house.browser("integrator")
    page(one, source)
    house.batch([track(2)], key)
    assert "product_viewed" not in fragment(two, source)
    assert "data-done" in fragment(two, source)
    assert "product_viewed" in fragment(one, source), "and asking did not end the colleague's"
    page(two, source)
    assert opened(house) == [one.account, two.account]


@pytest.mark.parametrize("role", ["officer", "administrator", "marketer"])
def test_nobody_but_an_integrator_opens_it(sqlite_only: House, role: str) -> None:
    house = sqlite_only
    source, _ = house.source("web")
    for path in ("live", "live/rows"):
        assert house.browser(role).get(f"/sources/{source}/{path}").status_code == 403
    assert opened(house) == []


def test_a_watch_ends_after_ten_minutes_and_takes_its_rows_along(sqlite_only: House) -> None:
    house = sqlite_only
    source, key = house.source("web")
    one = house.browser("integrator")
    page(one, source)
    house.batch([track(1)], key)
    house.clock.forward(minutes=10, seconds=1)
    house.services.ring.look_again()
    house.batch([track(2)], key)
    assert house.counts()["platform.live_row"] == 1
    assert "The watch is over" in fragment(one, source)
    assert house.counts()["platform.live_row"] == house.counts()["platform.live_watch"] == 0


def test_stopping_takes_the_rows_away_at_once(house: House) -> None:
    source, key = house.source("web")
    one = house.browser("integrator")
    page(one, source)
    house.batch([track(1)], key)
    assert one.post(f"/sources/{source}/live/endings").status_code == 303
    assert house.counts()["platform.live_row"] == house.counts()["platform.live_watch"] == 0


def test_what_another_process_takes_in_shows_too(sqlite_only: House) -> None:
    house = sqlite_only
    source, key = house.source("web")
    other = open_house(house.services.settings, house.environment)
    try:
        one = house.browser("integrator")
        page(one, source)
        other.batch([track(1, event="Coupon Applied")], key)
        assert "coupon_applied" in fragment(one, source)
    finally:
        other.close()


def test_type_form_and_words_narrow_what_is_shown(sqlite_only: House) -> None:
    house = sqlite_only
    source, key = house.source("web")
    one = house.browser("integrator")
    page(one, source)
    house.batch([track(1), track(2, event="Coupon Applied"), track(3, properties={"product_id": "P77"}), {"type": "nonsense"}], key)
    assert "<code>coupon_applied</code>" not in fragment(one, source, "?type=product_viewed")
    assert "unknown_type" in fragment(one, source, "?outcome=quarantined")
    assert "product_viewed" not in fragment(one, source, "?outcome=quarantined")
    assert len(re.findall("<code>product_viewed</code>", fragment(one, source, "?q=p77"))) == 1
    assert "No item of the last ones matches" in fragment(one, source, "?q=nothing-of-it")
    assert one.get(f"/sources/{source}/live?q=13812345678").status_code == 422


def people(house: House) -> None:
    """A customer of each kind but the unknown, in the shop's namespace."""
    _, desk = house.source("desk", namespace="shop")
    long_ago = (house.clock() - timedelta(days=30)).isoformat()
    assert house.grant(desk, [("customer_no", "known"), ("cookie", "known")], at=long_ago).status_code == 201
    assert house.grant(desk, [("customer_no", "withdrawn")], at=long_ago).status_code == 201
    assert house.grant(desk, [("customer_no", "withdrawn")], state="withdrawn").status_code == 201
    gone, _wrong = normalise(IdentifierType.CUSTOMER_NO, pa.array(["erased"]), namespace="shop")
    with house.services.stores.begin_vault() as tx:
        vault.add_tombstones(tx, house.services.open_keyring(), [(IdentifierType.CUSTOMER_NO, gone[0].as_py())], now=house.clock())


def messages(kind: str, number: int) -> list[dict[str, Any]]:
    """The same about whoever it is: an event, an order, details, a fault of form."""
    order = {"order_id": "O", "revenue": 42.5, "currency": "CNY", "products": [{"product_id": "P1", "quantity": 2, "price": 21.25}]}
    return [
        track(number, user=kind),
        track(number + 1, user=kind, event="Order Completed", properties=order),
        {"type": "identify", "userId": kind, "messageId": f"{number + 2}", "traits": {"gender": "female", "occupation": "student"}},
        track(number + 3, user=kind, properties={"product_id": "P1", "quantity": "many"}),
    ]


@pytest.mark.parametrize("public", [False, True])
@pytest.mark.parametrize("wait", ["refuse", "wait"])
def test_rows_are_the_same_for_known_unknown_refused_and_erased_people(sqlite_only: House, public: bool, wait: str) -> None:
    """And for one whose message came before: what differs in the answers and counts does not differ here."""
    house = sqlite_only
    people(house)
    source, key = house.source("web", public=public, namespace="shop", on_no_consent=wait)
    one = house.browser("integrator")
    seen = {}
    for place, kind in enumerate(KINDS):
        page(one, source)
        assert house.send({"batch": messages(kind, 10 * place)}, key).status_code == 200
        seen[kind] = sorted(json.dumps(row, default=str) for row in ring(house, source))
        one.post(f"/sources/{source}/live/endings")
    page(one, source)
    house.send({"batch": messages("known", 0)}, key)
    seen["again"] = sorted(json.dumps(row, default=str) for row in ring(house, source))
    assert len(seen["known"]) == 5
    assert len({tuple(rows) for rows in seen.values()}) == 1


def test_the_canary_stands_in_no_row_and_on_no_page(sqlite_only: House) -> None:
    """Everything that can be planted, in every dress, through a server key and a client key, while both are watched."""
    house = sqlite_only
    (server, key), (client, public) = house.source("web", consent_signals="accept"), house.source("page", public=True)
    one = house.browser("integrator")
    shown = 0
    for sender in (send_everything(house, key, public), fail_everything(house, key)):
        for source in (server, client):
            page(one, source)
        for _answer in sender:
            for source in (server, client):
                rows = ring(house, source)
                shown = max(shown, len(rows))
                assert hits(json.dumps(rows, default=str, ensure_ascii=False)) == set()
    assert shown > 50
    for source in (server, client):
        assert hits(page(one, source) + fragment(one, source)) == set()


def test_no_row_has_an_id_of_a_message_or_of_a_person(sqlite_only: House) -> None:
    house = sqlite_only
    source, key = house.source("web")
    house.grant(key, [("customer_no", "u-1")], at="2026-06-01T00:00:00Z")
    page(house.browser("integrator"), source)
    house.batch([track(1)], key)
    (row,) = ring(house, source)
    assert set(row) == {"minute", "record", "outcome", "columns", "identifiers", "path", "rule"}
    assert "virtual_id" not in row["columns"]
    assert "00000000-0000-4000-8000-000000000001" not in str(row)
