"""What is tried at the only door through which lists of people leave (attacks 18 to 20, 25, 26, 49 to 53, 56, 57)."""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pyarrow as pa
import pytest
import sqlalchemy as sa

from privacy.deidentify import kanonymity, risk
from privacy.errors import NotFound, PiyingError, Refused
from privacy.export import content, people
from privacy.identity import pseudonyms
from privacy.identity.forms.partner import PSEUDONYM
from tests.fakes.paperwork import ADA, AGENCY, BOB
from tests.flow import attacked
from tests.flow.attacked import PARTNER, RIVAL
from tests.gatehouse import PHONES, Scene
from tests.house import House

FIELDS = ("gender", "age_band")
SHAPE: dict[str, Any] = attacked.SHAPE | {"fields": FIELDS}


def partner(place: House, given: dict[str, Any] = PARTNER) -> Scene:
    """A partner's scene: four kinds of people, fifty of each."""
    scene = Scene(place, given)
    scene.door = scene.gate(cap=None)
    four = [("female", "20-24"), ("female", "25-29"), ("male", "20-24"), ("male", "25-29")]
    kinds = [four[number % 4] for number in range(len(PHONES))]
    ill = ["asthma" if number % 8 < 4 else "none" for number in range(len(PHONES))]
    scene.say("all", PHONES, gender=[one for one, _ in kinds], age_band=[one for _, one in kinds], illness=ill)
    return scene


def test_two_recipients_tables_join_on_no_column_better_than_their_risk_says(place: House) -> None:
    """Attack 18: pseudonyms never meet, the orders tell nothing, and whoever joins on what is left guesses among a class."""
    tables = []
    for given in (PARTNER, RIVAL):
        scene = partner(place, given)
        id_ = scene.released(**SHAPE)
        tables.append(scene.opened(id_))
        assert scene.door.show(id_, exact=True)["manifest"]["level"] == 3
        declared = scene.door.show(id_, exact=True)["officers"]["risk"]
    one, other = tables
    assert {row[PSEUDONYM] for row in one}.isdisjoint(row[PSEUDONYM] for row in other)
    assert len(one) == len(other) == len(PHONES)
    truth = {row[PSEUDONYM]: number for number, row in enumerate(one)}
    assert len(truth) == len(one)
    classes: dict[tuple[str, ...], int] = {}
    for row in other:
        key = tuple(row[name] for name in FIELDS)
        classes[key] = classes.get(key, 0) + 1
    for row in one:
        assert 1 / classes[tuple(row[name] for name in FIELDS)] <= declared["prosecutor"]["highest"] + 1e-9
    ids = sorted(scene.people(PHONES))
    ring = scene.ring
    epoch = ring.versions("recipient")[-1]
    orders = []
    for given, rows in ((PARTNER, one), (RIVAL, other)):
        secret = ring.mac_key(pseudonyms.RECIPIENT, given["key"], "marketing.profiling", str(epoch), version=epoch)
        marks = dict(zip(pseudonyms.recipient_pseudonyms(secret, b"".join(ids)).to_pylist(), range(len(ids)), strict=True))
        orders.append([marks[row[PSEUDONYM]] for row in rows])
    same = sum(a == b for a, b in zip(*orders, strict=True))
    assert same <= 20  # two random orders agree at one place on average; at more than twenty with less than 10⁻¹⁸


def test_who_has_the_analytics_store_and_one_recipients_file_finds_no_telephone(place: House) -> None:
    """Attack 20: twenty thousand telephones (a million with LONG_TESTS), the people's own among them, in two spellings, against every value of the
    store and one table: no hit without the keys."""
    scene = partner(place)
    known = {row[PSEUDONYM] for row in scene.opened(scene.released(**SHAPE))} | everything(scene)
    tried = PHONES + [f"+86150{number:08d}" for number in range(1_000_000 if os.environ.get("LONG_TESTS") else 20_000)]
    made: list[Callable[[bytes], Any]] = [hashlib.sha256, hashlib.md5, hashlib.sha1]
    made += [lambda said, key=key: hmac.new(key, said, "sha256") for key in (b"tea-study", scene.recipient.encode())]
    for phone in tried:
        for said in (phone.encode(), phone[3:].encode()):
            for act in made:
                mark = act(said).hexdigest()
                assert mark not in known
                assert mark[:32] not in known


def everything(scene: Scene) -> set[str]:
    """Every value of every table that is not the vault's, bytes as digits."""
    found: set[str] = set()
    with scene.services.stores.platform_owner.read() as tx:
        for table in sa.inspect(tx).get_table_names():
            for row in tx.exec_driver_sql(f"SELECT * FROM {table}"):
                found.update(one.hex() if isinstance(one, bytes) else str(one) for one in row if one is not None)
    assert len(found) > 1_000
    return found


def test_a_cell_that_a_spreadsheet_would_run_is_escaped(place: House) -> None:
    """Attack 25: a formula among the columns of a partner's table stays text."""
    scene = Scene(place, PARTNER)
    evil = '=HYPERLINK("http://x.example","y")'
    scene.say("all", PHONES, gender=[evil] * len(PHONES), age_band=["20-24"] * len(PHONES))
    rows = scene.opened(scene.released(**SHAPE))
    assert {row["gender"] for row in rows} <= {"'" + evil, "*"}


def test_a_column_outside_the_approved_feed_is_422_until_it_is_agreed(place: House) -> None:
    """Attack 51: not of the recipient's categories; not a column at all."""
    scene = partner(place)
    for fields in (("gender", "birth_date"), ("gender", "phone"), ("gender", "email")):
        with pytest.raises(PiyingError) as refused:
            scene.door.request(scene.wish(**SHAPE | {"fields": fields}), actor=ADA)
        assert refused.value.code == "export_fields"
    narrow = Scene(place, AGENCY)
    with pytest.raises(PiyingError) as refused:
        narrow.door.request(narrow.wish(form="email", channel="sms", fields=("email",)), actor=ADA)
    assert refused.value.code == "column_not_agreed"


def test_a_list_made_for_service_is_not_marketing_and_prices_are_no_use(place: House) -> None:
    """Attacks 50 and 53."""
    scene = Scene(place)
    for changes, code in (({"purpose": "service"}, "purpose_not_of_segment"), ({"use": "pricing"}, "use_not_of_segment")):
        with pytest.raises(Refused) as refused:
            scene.door.request(scene.wish(**changes), actor=ADA)
        assert refused.value.code == code


def test_somebody_with_many_rows_fills_no_class(place: House) -> None:
    """Attack 56: fifty rows of one person are a class of one, and no level 3."""
    persons = [0] * 50 + list(range(1, 51))
    table = {"city": kanonymity.coded(pa.array(["a"] * 50 + ["b"] * 50))}
    found = risk.evaluate(table, persons=kanonymity.coded(pa.array(persons)))
    assert (found.k, found.level) == (1, 2)


def test_a_class_in_which_all_share_what_is_sensitive_does_not_leave(place: House) -> None:
    """Attack 57: k is fifty and everybody's illness is known: the gate opens the classes or refuses."""
    scene = partner(place)
    women = [number % 4 < 2 for number in range(len(PHONES))]
    bands = ["20-24" if number % 2 else "25-29" for number in range(len(PHONES))]
    ill = ["asthma" if one else "none" for one in women]
    scene.say("all", PHONES, gender=["female" if one else "male" for one in women], age_band=bands, illness=ill)
    id_ = scene.released(**SHAPE | {"fields": ("gender", "illness")})
    rows = scene.opened(id_)
    held: dict[str, set[str]] = {}
    for row in rows:
        held.setdefault(row["gender"], set()).add(row["illness"])
    assert all(len(values) >= 2 for values in held.values())
    assert scene.door.show(id_, exact=True)["officers"]["risk"]["level"] == 3
    same = pa.table({"gender": ["female"] * 100, "illness": ["asthma"] * 100})
    with pytest.raises(Refused):
        content.pseudonymous(
            scene.ring.mac_key(pseudonyms.RECIPIENT, "x", version=1), [secrets.token_bytes(16) for _ in range(100)], same,
            ("gender", "illness"), ("illness",),
        )  # fmt: skip


def test_padding_does_not_hide_that_one_person_is_set_apart(place: House) -> None:
    """Attack 19 with a large difference on the other side: the one who is missing is missing with fifty others."""
    scene = Scene(place)
    scene.door = scene.gate(rho_nano=40_000_000, cap=None)  # σ = 3.5: a difference of 101 passes surely
    scene.segments["all"] = PHONES[:100]
    first = scene.phones(scene.released())
    scene.segments["all"] = PHONES[1:]
    id_ = scene.released()
    second = scene.phones(id_)
    assert first == set(PHONES[:100])
    assert PHONES[0] not in second
    assert len(first - second) == 50
    assert second >= set(PHONES[100:])
    assert scene.door.show(id_, exact=True)["officers"]["exclusions"] == {"too_few_alike": 49}


def test_the_same_definition_again_moves_in_groups_of_the_minimum(place: House) -> None:
    """Attack 19 by waiting: two who came in wait, two who left stay, and fifty of each move."""
    scene = Scene(place)
    scene.door = scene.gate(rho_nano=40_000_000, cap=None)  # σ = 3.5: a hundred are surely fifty
    scene.segments["same"] = PHONES[:100]
    assert scene.phones(scene.released(segment="same")) == set(PHONES[:100])
    scene.segments["same"] = PHONES[2:102]
    assert scene.phones(scene.released(segment="same")) == set(PHONES[:100])
    scene.segments["same"] = PHONES[50:150]
    assert scene.phones(scene.released(segment="same")) == set(PHONES[50:150])


def test_a_no_between_two_lists_of_a_definition_leaves_at_once(place: House) -> None:
    """Suppressions are exempt: one person says no, and the next list is one shorter."""
    scene = Scene(place)
    scene.door = scene.gate(cap=None)
    scene.segments["same"] = PHONES
    scene.released(segment="same")
    scene.allow(PHONES[7:8], scene.share, "withdrawn")
    assert scene.phones(scene.released(segment="same")) == set(PHONES) - {PHONES[7]}


def test_whom_a_recipient_is_told_to_remove_is_not_added_meanwhile(place: House) -> None:
    """They said yes again before the removal was acknowledged."""
    scene = Scene(place)
    scene.delivery.removing = set(people.handles(scene.ring, scene.people(PHONES[:3])))
    assert scene.phones(scene.released()) == set(PHONES[3:])


def test_a_no_after_the_first_download_is_left_out_of_the_second_and_is_told_to_delivery(place: House) -> None:
    """Attack 26: what was delivered is followed by a removal, which is delivery's; the file has them no more."""
    scene = Scene(place)
    id_ = scene.released()
    assert scene.phones(id_) == set(PHONES)
    scene.allow(PHONES[:2], scene.share, "withdrawn")
    assert scene.phones(id_) == set(PHONES[2:])
    assert scene.delivery.left_out == [(id_, 2)]
    assert scene.phones(id_) == set(PHONES[2:])
    assert scene.door.show(id_, exact=True)["manifest"]["revision"] == 2
    assert scene.door.held(scene.people(PHONES[:2])) == 2
    assert scene.door.forget(scene.people(PHONES[:2])) == 2


def test_a_link_after_its_time_and_a_term_that_ended_give_nothing(place: House) -> None:
    """Attack 52: at the very second at which it ends."""
    scene = Scene(place)
    id_ = scene.released(expires_at=scene.services.clock() + timedelta(hours=1))
    scene.house.clock.forward(hours=1)
    with pytest.raises(NotFound) as gone:
        scene.door.take(id_, actor=BOB)
    assert gone.value.code == "export_gone"
