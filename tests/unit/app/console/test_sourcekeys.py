"""Keys, clients, settings and the end of a source, from the console."""

from __future__ import annotations

import re

from app import acts
from tests.house import Browser, House, track

PATHS = ("rotations", "revocations", "clients", "clients/endings")


def keys(house: House, source: str) -> list[dict[str, str]]:
    found: list[dict[str, str]] = acts.show_source(house.services, source)[0]["keys"]
    return found


def shown(browser: Browser, path: str) -> str:
    return browser.get(path).get_data(as_text=True)


def test_a_rotation_shows_the_new_key_once_and_the_old_one_works_until_the_overlap_ends(house: House) -> None:
    source, old = house.source("web")
    page = house.browser("integrator").post(f"/sources/{source}/rotations", {"overlap": "2"}).get_data(as_text=True)
    (new,) = set(re.findall(r"wk_[a-z2-7]+", page))
    assert new != old
    assert house.batch([track(1)], old)["received"] == house.batch([track(2)], new)["received"] == 1
    house.clock.forward(hours=2, seconds=1)
    assert house.send({"batch": [track(3)]}, old).status_code == 401
    assert house.batch([track(4)], new)["received"] == 1


def test_an_overlap_is_a_number_of_hours(house: House) -> None:
    source, _ = house.source("web")
    for wrong in ("", "-1", "721", "soon"):
        answer = house.browser("integrator").post(f"/sources/{source}/rotations", {"overlap": wrong})
        assert answer.status_code == 422
        assert "An overlap is from 0 to 720 hours." in answer.get_data(as_text=True)
    assert len(keys(house, source)) == 1


def test_a_revoked_key_is_refused_at_once(house: House) -> None:
    source, key = house.source("web")
    (one,) = keys(house, source)
    assert house.browser("integrator").post(f"/sources/{source}/revocations", {"key": one["key"]}).status_code == 303
    assert house.send({"batch": [track(1)]}, key).status_code == 401
    assert house.browser("integrator").post(f"/sources/{source}/revocations", {"key": one["key"]}).status_code == 404


def test_whatever_opens_or_closes_a_way_in_asks_for_the_password_again(house: House) -> None:
    source, _ = house.source("web")
    integrator = house.browser("integrator")
    house.clock.forward(minutes=11)
    before = keys(house, source)
    for path in PATHS:
        answer = integrator.post(f"/sources/{source}/{path}", {"overlap": "0", "key": before[0]["key"], "back": f"/sources/{source}/keys"})
        assert (answer.status_code, answer.headers["Location"]) == (302, f"/reauthenticate?next=/sources/{source}/keys")
    for path in ("/sources", f"/sources/{source}/disablement"):
        answer = integrator.post(path, {"name": "web", "back": "/sources/new"})
        assert answer.headers["Location"].startswith("/reauthenticate?next=")
    assert integrator.get("/sources/new").headers["Location"] == "/reauthenticate?next=/sources/new"
    assert keys(house, source) == before


def test_a_client_that_signs_is_added_and_ended(house: House) -> None:
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import rsa

    source, _ = house.source("web")
    integrator = house.browser("integrator")
    assert integrator.post(f"/sources/{source}/clients", {"public_key": "nothing"}).status_code == 422
    public = rsa.generate_private_key(65537, 2048).public_key()
    pem = public.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo).decode()
    assert integrator.post(f"/sources/{source}/clients", {"public_key": pem}).status_code == 303
    (client,) = acts.show_source(house.services, source)[0]["clients"]
    assert client in shown(integrator, f"/sources/{source}/keys")
    assert integrator.post(f"/sources/{source}/clients/endings", {"client": client}).status_code == 303
    assert acts.show_source(house.services, source)[0]["clients"] == []


def test_settings_are_changed_from_the_version_that_the_form_was_made_of(house: House) -> None:
    source, _ = house.source("web")
    integrator = house.browser("integrator")
    version = acts.show_source(house.services, source)[1]
    form = {
        "version": version,
        "origins": "https://shop.example\nhttps://www.shop.example",
        "categories": "analytics = analytics.statistics\nads = marketing.profiling",
        "rate": "250",
    }
    assert integrator.post(f"/sources/{source}/settings", form).status_code == 303
    told = acts.show_source(house.services, source)[0]
    assert told["origins"] == ["https://shop.example", "https://www.shop.example"]
    assert told["categories"] == {"ads": "marketing.profiling", "analytics": "analytics.statistics"}
    assert told["requests_per_second"] == 250
    late = integrator.post(f"/sources/{source}/settings", form | {"rate": "1"})
    assert late.status_code == 412 or late.status_code == 409
    assert "Somebody changed this source meanwhile" in late.get_data(as_text=True)
    assert acts.show_source(house.services, source)[0]["requests_per_second"] == 250
    again = {"version": acts.show_source(house.services, source)[1], "rate": ""}
    assert integrator.post(f"/sources/{source}/settings", again).status_code == 303
    assert acts.show_source(house.services, source)[0]["requests_per_second"] is None


def test_a_setting_with_a_fault_says_which(house: House) -> None:
    source, _ = house.source("web")
    integrator = house.browser("integrator")
    version = acts.show_source(house.services, source)[1]
    for field, text, said in (
        ("origins", "shop", "An origin is a scheme"),
        ("categories", "analytics", "A category stands for a purpose"),
        ("categories", "a = analytics.horoscopes", "not registered"),
        ("rate", "fast", "A rate is a whole number"),
        ("rate", "100001", "A rate is a whole number"),
    ):
        answer = integrator.post(f"/sources/{source}/settings", {"version": version, field: text})
        page = answer.get_data(as_text=True)
        assert answer.status_code == 422, (field, text)
        assert said in page
        assert text in page
        assert f'href="#f-{field}"' in page


def test_a_source_ends_when_its_name_is_typed(house: House) -> None:
    source, key = house.source("web")
    integrator = house.browser("integrator")
    assert integrator.post(f"/sources/{source}/disablement", {"name": "wob"}).status_code == 422
    assert house.batch([track(1)], key)["received"] == 1
    assert integrator.post(f"/sources/{source}/disablement", {"name": "web"}).status_code == 303
    assert house.send({"batch": [track(2)]}, key).status_code == 403
    assert "Disabled" in shown(integrator, f"/sources/{source}")
