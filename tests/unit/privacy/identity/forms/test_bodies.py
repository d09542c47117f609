"""The bodies of requests: each family's own words for add and remove, no larger than it takes."""

from __future__ import annotations

import json
from typing import Any

import pyarrow as pa
import pytest

from privacy.identity.forms import book, google, lines, linkedin, meta, tiktok, x
from privacy.identity.forms.shape import Action, fill

JSON = (google.FORM, meta.FORM, tiktok.FORM, linkedin.FORM, x.FORM)
TARGET = {"advertiser_ids": ["7"], "audience_ids": ["9"]}
ONE = {"email": pa.array(["test@example.com"])}
HASHED = "973dfe463ec85785f5f95af5ba3906eedb2d931c24e69824a89ea65dba4e813b"


def bodies(family: str, columns: dict[str, Any], action: Action = Action.ADD) -> list[Any]:
    return [json.loads(body) for body in lines.requests(fill(book.form(family), columns), action, TARGET)]


def test_google_creates_and_removes_a_person_with_all_identifiers_in_one_operation() -> None:
    columns = {
        name: pa.array([text]) for name, text in {"first_name": "张", "last_name": "三", "country": "CN", "postcode": "518000"}.items()
    }
    ((one,),) = ([body["operations"] for body in bodies("google", {**ONE, "phone": pa.array(["13800138000"]), **columns})],)
    kinds = [next(iter(identifier)) for identifier in one[0]["create"]["userIdentifiers"]]
    assert kinds == ["hashedEmail", "hashedPhoneNumber", "addressInfo"]
    assert set(one[0]["create"]["userIdentifiers"][2]["addressInfo"]) == {"hashedFirstName", "hashedLastName", "countryCode", "postalCode"}
    (removal,) = bodies("google", ONE, Action.REMOVE)
    assert removal == {"operations": [{"remove": {"userIdentifiers": [{"hashedEmail": HASHED}]}}], "enablePartialFailure": True}


def test_meta_gets_a_schema_and_rows_in_its_order_with_absent_cells_empty() -> None:
    (body,) = bodies("meta", {"email": pa.array(["test@example.com", None]), "phone": pa.array([None, "13800138000"])})
    assert body["payload"]["schema"] == ["EMAIL", "PHONE"]
    assert sorted(body["payload"]["data"]) == [["", "bf08aacce7f9b2452863cf99373043c3333f0e3127f1f787c4abb46ab6cf2b83"], [HASHED, ""]]
    assert (meta.FORM.words[Action.ADD], meta.FORM.words[Action.REMOVE]) == ("POST", "DELETE")


def test_tiktok_maps_ids_to_audiences() -> None:
    (body,) = bodies("tiktok", ONE, Action.REMOVE)
    assert body == {
        "advertiser_ids": ["7"], "action": "delete", "id_schema": ["EMAIL_SHA256"], "batch_data": [[{"id": HASHED, "audience_ids": ["9"]}]],
    }  # fmt: skip


def test_linkedin_names_the_kind_of_each_digest() -> None:
    device = pa.array(["38400000-8cf0-11bd-b23e-10b96e40000d"])
    (body,) = bodies("linkedin", {**ONE, "device": device}, Action.REMOVE)
    assert body == {
        "elements": [
            {
                "action": "REMOVE",
                "userIds": [{"idType": "SHA256_EMAIL", "idValue": HASHED}, {"idType": "GOOGLE_AID", "idValue": device[0].as_py()}],
            }
        ]
    }


def test_x_updates_and_deletes() -> None:
    assert bodies("x", ONE) == [[{"operation_type": "Update", "params": {"users": [{"email": [HASHED]}]}}]]
    assert bodies("x", ONE, Action.REMOVE)[0][0]["operation_type"] == "Delete"


@pytest.mark.parametrize("form", JSON, ids=lambda form: form.family)
def test_no_request_is_larger_than_the_family_takes_and_none_loses_anybody(form: Any) -> None:
    count = form.batch + 3
    filled = fill(form, {"email": pa.array([f"person{number}@example.com" for number in range(count)])})
    sizes = [batch.num_rows for batch in filled.batches()]
    assert sizes == [form.batch, 3]


def test_a_family_of_files_has_no_requests() -> None:
    filled = fill(book.form("damopan"), {"phone": pa.array(["13800138000"])})
    with pytest.raises(ValueError, match="files"):
        list(lines.requests(filled, Action.ADD, {}))
