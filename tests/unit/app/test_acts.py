"""Each act of configuration leaves one entry, in its own transaction: without the entry there is no act."""

from __future__ import annotations

import inspect
import json
import secrets
from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from app import access, acts
from ingestion import oauth, registry
from privacy.audit.log import LogPayload
from privacy.audit.reading import Filter, Line, lines
from privacy.errors import Invalid, NotFound, Refused, Unavailable
from tests.fakes.log import RefusingLog
from tests.house import House

ADA = "ada@example.com"
ACTOR = "usr_0123456789abcdef"
PUBLIC_PEM = (
    rsa.generate_private_key(public_exponent=65537, key_size=2048)
    .public_key()
    .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    .decode()
)


def of(house: House, *before: str) -> dict[str, Any]:
    """What an act may need to be there already."""
    made: dict[str, Any] = {}
    if "source" in before:
        made["source_id"], made["webhook"] = house.source()[0], "zz-orders"
        house.source("zz-orders", "webhook")
        with house.services.begin_console() as tx:
            made["client"] = oauth.add_client(tx, made["source_id"], "PEM", random=secrets.token_bytes, now=house.clock())
    if "account" in before:
        with house.services.begin_console() as tx:
            made["account"], made["code"] = access.add_account(tx, ADA, "officer", now=house.clock())
    return made


Act = Callable[[House, dict[str, Any]], dict[str, Any]]

ACTS: dict[str, tuple[str, Act]] = {
    "add_source": ("source.add", lambda house, _: acts.add_source(house.services, actor=ACTOR, name="shop", kind="segment")),
    "change_source": (
        "source.change",
        lambda house, made: acts.change_source(house.services, made["source_id"], actor=ACTOR, requests_per_second=7)[0],
    ),
    "revoke_key": (
        "source.revoke",
        lambda house, made: acts.revoke_key(
            house.services, made["source_id"], acts.list_sources(house.services)[0]["keys"][0]["key"], actor=ACTOR
        ),
    ),
    "add_client": (
        "source.client",
        lambda house, made: acts.add_client(house.services, made["source_id"], PUBLIC_PEM, actor=ACTOR),
    ),
    "end_client": (
        "source.client_end",
        lambda house, made: acts.end_client(house.services, made["source_id"], made["client"], actor=ACTOR),
    ),
    "rotate_source": ("source.rotate", lambda house, made: acts.rotate_source(house.services, made["source_id"], actor=ACTOR)),
    "share_secret": ("source.secret", lambda house, made: acts.share_secret(house.services, made["webhook"], actor=ACTOR)),
    "disable_source": ("source.disable", lambda house, made: acts.disable_source(house.services, made["source_id"], actor=ACTOR)),
    "add_user": ("account.add", lambda house, _: acts.add_user(house.services, "bo@example.com", "officer", actor=ACTOR)),
    "redeem_code": ("token.redeem", lambda house, made: acts.redeem_code(house.services, made["code"])),
    "disable_user": ("account.disable", lambda house, made: acts.disable_user(house.services, made["account"], actor=ACTOR)),
    "make_token": ("token.add", lambda house, made: acts.make_token(house.services, made["account"], actor=ACTOR)),
}


def entries(house: House) -> tuple[Line, ...]:
    with house.services.read_console() as tx:
        return lines(tx, Filter(), limit=100).items


@pytest.mark.parametrize("name", sorted(ACTS))
def test_an_act_leaves_one_entry_that_says_who_did_what(name: str, house: House) -> None:
    action, act = ACTS[name]
    made = of(house, "source", "account")
    before = len(entries(house))
    answer = act(house, made)
    first, *rest = entries(house)
    assert len(rest) == before
    assert first.action == action
    assert first.actor == (made["account"] if name == "redeem_code" else ACTOR)
    with house.services.read_console() as tx:
        written = b"".join(payload or b"" for payload in tx.scalars(sa.select(LogPayload.payload))).decode()
    secrets_ = [value for key, value in answer.items() if key in ("write_key", "link", "token", "secret")] + [made["code"], ADA]
    assert not [one for one in secrets_ if one in written]


@pytest.mark.parametrize("name", sorted(ACTS))
def test_without_its_entry_an_act_does_not_happen(name: str, house: House) -> None:
    _, act = ACTS[name]
    made = of(house, "source", "account")
    before, everything = house.counts(), contents(house)
    house.services.log = RefusingLog()  # type: ignore[assignment]
    with pytest.raises(Unavailable) as refused:
        act(house, made)
    assert refused.value.code == "log_unavailable"
    assert house.counts() == before
    assert contents(house) == everything


def contents(house: House) -> str:
    """What the tables of configuration hold."""
    with house.services.stores.platform_owner.read() as tx:
        tables = ("account", "setup_code", "token", "source", "source_key")
        return json.dumps([[str(tuple(row)) for row in tx.execute(sa.select("*").select_from(sa.table(name)))] for name in tables])


def test_every_act_is_tried() -> None:
    public = {
        name for name, one in inspect.getmembers(acts, inspect.isfunction) if one.__module__ == acts.__name__ and not name.startswith("_")
    }
    assert public - {"list_sources", "show_source", "warnings"} == set(ACTS)


def test_a_source_names_only_registered_purposes(house: House) -> None:
    with pytest.raises(Invalid) as wrong:
        acts.add_source(house.services, actor=ACTOR, name="shop", kind="segment", purposes=["analytics.statistics", "world.domination"])
    assert wrong.value.code == "purpose_unknown"
    assert acts.list_sources(house.services) == []


def test_a_listing_shows_what_a_source_declared_and_no_key(house: House) -> None:
    made = acts.add_source(
        house.services, actor=ACTOR, name="shop", kind="segment", public=True, purposes=["analytics.statistics"], on_no_consent="wait"
    )
    (listed,) = acts.list_sources(house.services)
    assert listed == {
        "source": made["source"],
        "name": "shop",
        "kind": "segment",
        "public": True,
        "purposes": ["analytics.statistics"],
        "on_no_consent": "wait",
        "consent_signals": "deny_only",
        "disabled": False,
        "categories": {},
        "origins": [],
        "root_paths": False,
        "requests_per_second": None,
        "keys": listed["keys"],
        "clients": [],
        "warnings": ["any_origin"],
    }
    (key,) = listed["keys"]
    assert key == {"key": key["key"], "state": "live", "created_at": house.clock().isoformat(), "ends_at": None}
    assert key["key"] not in made["write_key"]


def test_a_rotated_key_opens_for_another_day_and_a_disabled_source_not_at_all(house: House) -> None:
    source, old = house.source()
    new = acts.rotate_source(house.services, source, actor=ACTOR)["write_key"]

    def opens(key: str) -> bool:
        with house.services.read_intake() as tx:
            found = registry.by_key(tx, key, now=house.clock())
        return found is not None

    assert opens(old)
    assert opens(new)
    house.clock.now += acts.KEY_OVERLAP
    assert not opens(old)
    assert opens(new)
    acts.disable_source(house.services, source, actor=ACTOR)
    assert acts.list_sources(house.services)[0]["disabled"]
    answer = house.send({"batch": []}, new)
    assert answer.status_code == 403
    assert answer.get_json()["code"] == "source_disabled"


def test_what_is_not_there_is_told(house: House) -> None:
    for wrong in (
        lambda: acts.rotate_source(house.services, "src_unknown", actor=ACTOR),
        lambda: acts.disable_source(house.services, "src_unknown", actor=ACTOR),
        lambda: acts.make_token(house.services, "usr_unknown", actor=ACTOR),
    ):
        with pytest.raises(NotFound):
            wrong()


def test_the_link_carries_its_code_where_browsers_do_not_send_it(house: House) -> None:
    made = acts.add_user(house.services, ADA, "marketer", actor=ACTOR)
    address, _, code = made["link"].partition("#")
    assert address == f"{house.services.base_url}/start"
    token = acts.redeem_code(house.services, code)
    assert token["user"] == made["user"]


def test_a_disabled_account_and_its_tokens_open_nothing(house: House) -> None:
    made = of(house, "account")
    token = acts.make_token(house.services, made["account"], actor=ACTOR)["token"]
    assert acts.disable_user(house.services, made["account"], actor=ACTOR)["tokens"] == 1
    with house.services.read_console() as tx:
        assert access.caller(tx, token, now=house.clock()) is None
    with pytest.raises(Refused):
        acts.redeem_code(house.services, made["code"])
    with pytest.raises(NotFound):
        acts.make_token(house.services, made["account"], actor=ACTOR)


def test_a_client_source_that_names_no_page_says_so_wherever_it_is_shown(house: House) -> None:
    told = {
        name: acts.add_source(house.services, actor=ACTOR, name=name, kind=kind, public=public, origins=origins)
        for name, kind, public, origins in (
            ("page", "segment", True, []),
            ("named", "segment", True, ["https://shop.example"]),
            ("server", "segment", False, []),
            ("mini", "mini_program", True, []),
        )
    }
    assert {name: one["warnings"] for name, one in told.items()} == {"page": ["any_origin"], "named": [], "server": [], "mini": []}
    assert {one["name"]: one["warnings"] for one in acts.list_sources(house.services)} == {
        name: one["warnings"] for name, one in told.items()
    }
    changed, _ = acts.change_source(house.services, told["page"]["source"], actor=ACTOR, origins=["https://shop.example"])
    assert changed["warnings"] == []
