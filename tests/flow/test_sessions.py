"""Sessions, forms, and the pages of accounts, tried by people who may and by people who may not."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import sqlalchemy as sa

from app import access, acts, sessions, signin
from app.console import gate
from tests.flow.entering import ADA, OTHER, PASSWORD, account, enter
from tests.house import House, bearer, sqlite_house

# ── sessions ───────────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_session_ends_after_half_an_hour_unused_and_after_twelve_hours_anyway(door: House) -> None:
    browser = door.browser("officer")
    for _ in range(24):
        door.clock.forward(minutes=29)
        assert browser.get("/account").status_code == 200
    door.clock.forward(minutes=29)
    assert browser.get("/account").status_code == 302, "12 hours and 5 minutes after its beginning"
    idle = door.browser("officer")
    door.clock.forward(minutes=30)
    assert idle.get("/account").status_code == 302


@pytest.mark.parametrize("how", ["signed out", "new password", "disabled", "ended from another browser"])
def test_a_session_that_ended_stays_ended_whatever_cookie_somebody_kept(small: House, how: str) -> None:
    """Attack: replay of a stolen cookie after the owner went."""
    me = account(small)
    thief, owner = small.browser(account=me), enter(small)[0]
    if how == "signed out":
        with owner.client.session_transaction() as held:
            kept = dict(held)
        assert owner.post("/sign-out").headers["Location"] == "/sign-in"
        with thief.client.session_transaction() as held:
            held.update(kept)
    elif how == "new password":
        assert owner.post("/account/password", {"password": OTHER, "repeated": OTHER}).status_code == 303
        assert owner.get("/account").status_code == 200
    elif how == "disabled":
        acts.disable_user(small.services, me, actor="test")
    else:
        assert owner.post("/account/sessions/endings").status_code == 303
    assert thief.get("/account").headers["Location"] == "/sign-in?next=/account"


def test_a_sign_in_takes_over_no_ticket_and_no_mark_that_was_there_before(small: House) -> None:
    """Attack: session fixation. Somebody else's ticket and form mark, planted before the sign-in, are worth nothing after it."""
    account(small)
    attacker = small.browser("marketer")
    victim = small.app.test_client()
    with attacker.client.session_transaction() as planted, victim.session_transaction() as held:
        held.update(planted)
        before = planted[gate.TICKET]
    assert victim.post("/sign-in", data={"email": ADA, "password": PASSWORD, "csrf_token": attacker.mark}).status_code == 303
    with victim.session_transaction() as held:
        assert held[gate.TICKET] != before
    assert victim.post("/account/sessions/endings", data={"csrf_token": attacker.mark}).status_code == 403
    assert attacker.get("/account").status_code == 302, "the planted session ended"


def test_a_cookie_opens_no_api_and_a_token_opens_no_page(small: House) -> None:
    browser, token = small.browser("administrator"), small.token("administrator")
    assert browser.get("/api/users").status_code == 401
    assert small.client.get("/users", headers=bearer(token)).headers["Location"] == "/sign-in?next=/users"
    assert browser.get("/users").status_code == 200


def test_a_forged_cookie_is_nobodys(small: House) -> None:
    for forged in ("x", "eyJ0aWNrZXQiOiJhIn0.aaaaaa.bbbbbbbbbbbbbbbbbbbbbbbbbbb"):
        client = small.app.test_client()
        client.set_cookie("piying", forged)
        assert client.get("/account").status_code == 302
    browser = small.browser()
    with browser.client.session_transaction() as held:
        held[gate.TICKET] = ["not", "a", "text"]
    assert browser.get("/account").status_code == 302


@pytest.mark.parametrize("address", ["http://127.0.0.1:8700", "https://console.example.com"])
def test_cookies_are_out_of_reach_and_secure_where_the_address_is(template_home: Path, tmp_path: Path, address: str) -> None:
    with sqlite_house(template_home, tmp_path / "home", {"PIYING_SERVER_BASE_URL": address}) as house:
        cookie = house.client.get("/sign-in", base_url=address).headers["Set-Cookie"]
    secure = address.startswith("https")
    assert cookie.startswith("__Host-piying=" if secure else "piying=")
    assert {"HttpOnly", "Path=/", "SameSite=Lax"} <= set(cookie.split("; "))
    assert ("Secure" in cookie.split("; ")) is secure
    assert "Domain=" not in cookie


def test_every_worker_and_every_start_signs_cookies_alike(template_home: Path, tmp_path: Path) -> None:
    with sqlite_house(template_home, tmp_path / "one") as one, sqlite_house(template_home, tmp_path / "two") as two:
        assert one.app.secret_key == two.app.secret_key
        assert len(one.app.secret_key or b"") == 32
        assert not [path for path in one.home.rglob("*") if path.is_file() and (one.app.secret_key or b"-") in path.read_bytes()]  # type: ignore[operator]


# ── forms ──────────────────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def acts_of_pages(small: House) -> list[tuple[str, str]]:
    return [
        (rule.rule, method)
        for rule in small.app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"GET", "HEAD", "OPTIONS"}
        if rule.endpoint.partition(".")[0].endswith("_pages")
    ]


def test_no_act_of_a_page_happens_unless_our_own_form_sent_it(small: House, acts_of_pages: list[tuple[str, str]]) -> None:
    """Attack: cross-site request forgery, over every unsafe route there is: no mark, somebody else's mark, another site's form."""
    assert len(acts_of_pages) > 12
    others = small.browser("officer").mark
    by_role = {role: small.browser(role) for role in access.matrix()}
    for rule, method in acts_of_pages:
        path = re.sub(r"<[^>]+>", "x_0000", rule)
        permission = next(
            getattr(small.app.view_functions[r.endpoint], "permission", "")
            for r in small.app.url_map.iter_rules()
            if r.rule == rule and method in (r.methods or ())
        )
        role = next((role for role, held in access.matrix().items() if permission in held), "officer")
        for data, headers in (
            ({}, {}),
            ({"csrf_token": others}, {}),
            ({"csrf_token": by_role[role].mark}, {"Sec-Fetch-Site": "cross-site"}),
        ):
            answer = by_role[role].client.open(path, method=method, data=data, headers={"Accept": "text/html", **headers})
            assert answer.status_code == 403, (rule, method, permission)
    assert by_role["administrator"].get("/account").status_code == 200, "not even signed out"


@pytest.mark.parametrize(
    "onward",
    [
        "https://evil.example", "//evil.example", "/\\evil.example", "\\\\evil.example", "javascript:alert(1)", "/%0d%0aSet-Cookie:x\r\n",
        "///evil.example",
        "evil.example", "/\t/evil.example", " /account",
    ],
)  # fmt: skip
def test_next_leads_nowhere_but_here(small: House, onward: str) -> None:
    """Attack: open redirect."""
    account(small)
    _, answer = enter(small, next=onward)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/")
    browser = small.browser("officer")
    assert browser.get("/sign-in", query_string={"next": onward}).headers["Location"] == "/"


def test_next_leads_back_with_its_filters(small: House) -> None:
    account(small)
    sent = small.browser().get("/account?tab=tokens&after=x")
    assert sent.headers["Location"] == "/sign-in?next=/account%3Ftab%3Dtokens%26after%3Dx"
    _, answer = enter(small, next="/account?tab=tokens&after=x")
    assert answer.headers["Location"] == "/account?tab=tokens&after=x"


# ── the password once more ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_what_proves_somebody_asks_for_the_password_again_after_ten_minutes(door: House) -> None:
    account(door)
    browser, _ = enter(door)
    assert browser.get("/account/password").status_code == 200
    door.clock.forward(minutes=11)
    assert browser.get("/account").status_code == 200
    assert browser.get("/account/password").headers["Location"] == "/reauthenticate?next=/account/password"
    late = browser.post("/account/password", {"password": OTHER, "repeated": OTHER})
    assert late.headers["Location"] == "/reauthenticate?next=/account/password"
    assert browser.post("/account/second-step/endings", {"back": "/account/second-step"}).headers["Location"].endswith("second-step")
    assert browser.post("/reauthenticate", {"password": "wrong", "next": "/account/password"}).status_code == 422
    back = browser.post("/reauthenticate", {"password": PASSWORD, "next": "/account/password"})
    assert (back.status_code, back.headers["Location"]) == (303, "/account/password")
    assert browser.post("/account/password", {"password": OTHER, "repeated": OTHER}).status_code == 303
    assert enter(door)[1].status_code == 401
    assert enter(door, OTHER)[1].status_code == 303


# ── pages of accounts ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_token_of_ones_own_is_shown_once_and_revoked_at_once(door: House) -> None:
    browser = door.browser("integrator")
    assert browser.get("/account/tokens/new").status_code == 200
    assert browser.post("/account/tokens", {"name": "nothing"}).status_code == 422
    assert browser.post("/account/tokens", {"scope": ["report.ask"]}).status_code == 403
    made = browser.post("/account/tokens", {"name": "nightly", "scope": ["source.read", "account.own"]}).get_data(as_text=True)
    token = re.search(r"pat_[\w-]{43}", made)
    assert token
    assert door.client.get("/api/sources", headers=bearer(token[0])).status_code == 200
    door.clock.forward(minutes=5)
    page = browser.get("/account").get_data(as_text=True)
    assert "nightly" in page
    assert token[0] not in page
    listed = door.client.get("/api/tokens", headers=bearer(token[0])).get_json()["items"]
    assert [(one["name"], one["scopes"]) for one in listed] == [("nightly", ["account.own", "source.read"])]
    assert listed[0]["used_at"]
    stranger = door.browser("integrator")
    assert stranger.post(f"/account/tokens/{listed[0]['id']}/revocation").status_code == 404
    assert browser.post(f"/account/tokens/{listed[0]['id']}/revocation").status_code == 303
    assert door.client.get("/api/sources", headers=bearer(token[0])).status_code == 401


def test_administrators_add_people_end_them_and_give_new_links(small: House) -> None:
    admin = small.browser("administrator")
    assert admin.get("/users/new").status_code == 200
    made = admin.post("/users", {"email": "Bo@Example.com", "role": "marketer"}).get_data(as_text=True)
    link = re.search(r"/start#([\w-]{43})", made)
    assert link
    assert admin.post("/users", {"email": "bo@example.com", "role": "marketer"}).status_code == 409
    assert admin.post("/users", {"email": "cy@example.com", "role": "king"}).status_code == 422
    with small.services.read_console() as tx:
        user = access.account_id_of(tx, "bo@example.com")
    assert "bo@example.com" in admin.get("/users").get_data(as_text=True)
    assert "bo@example.com" in admin.get(f"/users/{user}").get_data(as_text=True)
    again = re.search(r"/start#([\w-]{43})", admin.post(f"/users/{user}/links").get_data(as_text=True))
    assert again
    with pytest.raises(signin.Refused):
        signin.start(small.services, link[1], PASSWORD, machine="test")
    assert admin.post(f"/users/{user}/disablement").headers["Location"] == "/users"
    with pytest.raises(signin.Refused):
        signin.start(small.services, again[1], PASSWORD, machine="test")
    own = admin.post(f"/users/{admin.account}/disablement")
    assert own.headers["Location"] == f"/users/{admin.account}"
    assert admin.get("/users").status_code == 200
    assert small.browser("officer").get("/users").status_code == 403


def test_the_api_does_with_users_what_the_pages_do(door: House) -> None:
    owner = bearer(door.token("administrator"))
    made = door.client.post("/api/users", json={"email": "bo@example.com", "role": "marketer"}, headers=owner)
    assert made.status_code == 201
    user = made.get_json()["user"]
    link = door.client.post(f"/api/users/{user}/links", json={"without_second_step": True}, headers=owner)
    assert (link.status_code, link.get_json()["user"]) == (201, user)
    listed = door.client.get("/api/users", headers=owner).get_json()["items"]
    assert {"user", "email", "role", "disabled", "second_step", "signed_in_at"} == set(listed[0])
    assert door.client.post(f"/api/users/{user}/disablement", headers=owner).get_json() == {"user": user, "disabled": True, "tokens": 0}
    assert door.client.post("/api/users/usr_unknown/links", json={}, headers=owner).status_code == 404


def test_a_role_that_changes_acts_on_the_next_page(small: House) -> None:
    browser = small.browser("administrator")
    with small.services.begin_console() as tx:
        tx.execute(sa.update(access.Account).where(access.Account.id == browser.account).values(role="marketer"))
    assert browser.get("/users").status_code == 403


def test_sessions_that_ended_by_themselves_are_swept(small: House) -> None:
    small.browser("officer")
    small.clock.forward(hours=13)
    small.browser("officer")
    with small.services.read_console() as tx:
        assert tx.execute(sa.select(sa.func.count()).select_from(sessions.ConsoleSession)).scalar_one() == 1
