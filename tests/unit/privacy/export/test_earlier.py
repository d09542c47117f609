"""Which lists a new one is held against, and what tables of virtual IDs told before (attacks 18 and 19)."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from app.stores import Stores
from privacy.export import earlier, files, leavers, requests
from privacy.export.requests import Export, State
from privacy.orm import PlatformBase
from privacy.records import SealedExport

HANDLES = [bytes([number]) * 16 for number in range(8)]


@pytest.fixture
def store(sqlite: Stores) -> Stores:
    with sqlite.begin_platform() as tx:
        PlatformBase.metadata.create_all(tx)
    return sqlite


def export(id_: str, now: datetime, **changes: Any) -> Export:
    """A request that was released at an instant."""
    told: dict[str, Any] = {
        "id": id_, "segment": "seg_1", "version": 1, "definition": "d", "purpose": "marketing.profiling", "use": "marketing",
        "ground": "separate_consent", "channel": "sms", "recipient": "rec_a", "form": "sms", "fields": ("phone",), "justification": "tea",
        "expires_at": now + timedelta(days=9), "state": State.RELEASED, "until": now + timedelta(days=9), "asked_by": "usr_a", "asked_at": now,
        "released_at": now, "entry": 1,
    }  # fmt: skip
    return Export(**told | changes)


def put(tx: sa.Connection, one: Export, people: list[bytes]) -> None:
    requests.add(tx, one)
    leavers.add(tx, one.id, people, channel=one.channel, at=one.asked_at)


def test_every_list_of_the_recipient_counts_and_of_others_those_that_name_people_alike(store: Stores, now: datetime) -> None:
    """By the same kind of address; a pseudonym meets nobody else's, and a list of e-mail addresses no telephones."""
    with store.begin_platform() as tx:
        put(tx, export("exp_own", now, form="email", fields=("email",)), HANDLES[:2])
        put(tx, export("exp_other", now, recipient="rec_b", form="meta", fields=("phone", "email")), HANDLES[2:4])
        put(tx, export("exp_mail", now, recipient="rec_b", form="email", fields=("email",)), HANDLES[4:5])
        put(tx, export("exp_table", now, recipient="rec_b", form="pseudonymous", fields=("sex",)), HANDLES[5:6])
        put(tx, export("exp_old", now - timedelta(days=401)), HANDLES[6:7])
        found = earlier.of(tx, export("exp_new", now), now, {HANDLES[0]: HANDLES[7]})
        table = earlier.of(tx, export("exp_new", now, form="pseudonymous", fields=("sex",)), now, {})
    assert found.lists == {"exp_own": {HANDLES[7], HANDLES[1]}, "exp_other": {*HANDLES[2:4]}}
    assert found.own == {"exp_own"}
    assert found.everybody == {HANDLES[7], *HANDLES[1:4]}
    assert table.lists.keys() == {"exp_own"}


def test_a_list_follows_the_last_one_of_its_definition_in_its_own_form(store: Stores, now: datetime) -> None:
    """Who has no e-mail address was in the list of telephones and not in that of addresses: that makes nobody a newcomer."""
    with store.begin_platform() as tx:
        put(tx, export("exp_1", now), HANDLES)
        put(tx, export("exp_2", now + timedelta(days=1), form="email", fields=("email",)), HANDLES[1:])
        later = now + timedelta(days=2)
        again, mail, other = (
            earlier.of(tx, export("exp_new", later, **changes), later, {})
            for changes in ({}, {"form": "email", "fields": ("email",)}, {"definition": "e"})
        )
    assert (again.newest, again.known) == ("exp_1", True)
    assert (mail.newest, mail.known) == ("exp_2", True)
    assert (other.newest, other.known, other.definitions) == (None, False, ("d",))


def test_what_was_told_are_the_columns_that_left_as_they_are(store: Stores, now: datetime) -> None:
    """Of this recipient, purpose and epoch; not what was made coarser, and no revision that nobody got and nobody can."""
    table = {"form": "pseudonymous", "fields": ("sex", "city", "illness")}

    def revision(id_: str, number: int, levels: dict[str, int], epoch: int = 1) -> SealedExport:
        sealed = SealedExport(id_, number, "rec_a", f"{id_}-{number}", b"\0" * 32, 1, 1, {}, "", now)
        files.add(tx, sealed, {"risk": {"generalised": levels}, "epoch": epoch})
        return sealed

    with store.begin_platform() as tx:
        for id_ in ("exp_1", "exp_2", "exp_3"):
            put(tx, export(id_, now, **table | {"fields": ("sex", "city", "illness") if id_ == "exp_1" else ("stage",)}), HANDLES)
        revision("exp_1", 1, {"sex": 0, "city": 1})
        asked = export("exp_new", now, **table)
        assert earlier.columns_told(tx, asked, now, 1) == {"sex", "illness"}
        files.destroy(tx, "exp_1", now)
        assert earlier.columns_told(tx, asked, now, 1) == set()
        files.count_download(tx, "exp_1", 1)
        assert earlier.columns_told(tx, asked, now, 1) == {"sex", "illness"}
        revision("exp_1", 2, {"sex": 1, "city": 0})
        assert earlier.columns_told(tx, asked, now, 1) == {"sex", "city", "illness"}
        assert earlier.columns_told(tx, export("exp_1", now, **table), now, 1) == {"sex", "illness"}
        assert earlier.columns_told(tx, export("exp_new", now, **table | {"recipient": "rec_b"}), now, 1) == set()
        revision("exp_2", 1, {"stage": 0}, epoch=2)
        assert earlier.columns_told(tx, asked, now, 2) == {"stage"}
