"""The officer's papers through the API and on pages: a second officer approves, a version is named, a pack is downloaded."""

from __future__ import annotations

import io
import re
import zipfile

from tests.fakes.paperwork import AGENCY, ASSESSMENT, INCIDENT, agreement, furnish
from tests.house import House, bearer


def test_a_recipient_from_its_first_line_to_active_over_the_api(sqlite_only: House) -> None:
    client, ada, bob = sqlite_only.client, bearer(sqlite_only.token("officer")), bearer(sqlite_only.token("officer"))
    made = client.post("/api/recipients", json=AGENCY, headers=ada | {"Idempotency-Key": "one"})
    assert made.status_code == 201, made.get_data(as_text=True)
    again = client.post("/api/recipients", json=AGENCY, headers=ada | {"Idempotency-Key": "one"})
    assert again.get_json() == made.get_json()
    path = f"/api/recipients/{made.get_json()['id']}"
    refused = client.post(f"{path}/status", json={"status": "active"}, headers=ada | {"If-Match": '"1"'})
    assert (refused.status_code, refused.get_json()["code"]) == (403, "agreement_missing")
    assert client.post("/api/agreements", json=agreement(made.get_json()["id"]), headers=ada).status_code == 201
    draft = client.post("/api/assessments", json=ASSESSMENT, headers=ada).get_json()
    own = client.post(f"/api/assessments/{draft['id']}/approvals", headers=ada | {"If-Match": '"1"'})
    assert (own.status_code, own.get_json()["code"]) == (403, "own_proposal")
    assert client.post(f"/api/assessments/{draft['id']}/approvals", headers=bob).status_code == 428
    assert client.post(f"/api/assessments/{draft['id']}/approvals", headers=bob | {"If-Match": '"9"'}).status_code == 412
    assert client.post(f"/api/assessments/{draft['id']}/approvals", headers=bob | {"If-Match": '"1"'}).status_code == 200
    active = client.post(f"{path}/status", json={"status": "active"}, headers=ada | {"If-Match": '"1"'})
    assert (active.status_code, active.get_json()["status"], active.headers["ETag"]) == (200, "active", '"2"')
    listed = client.get("/api/controls", headers=ada).get_json()["items"]
    assert {one["id"]: one["state"] for one in listed}["agreement_active"] == "ok"
    register = client.get("/api/register", headers=ada).get_json()["items"]
    assert "lantern-sms" in next(one for one in register if one["purpose"] == "marketing.channel.sms")["recipients"]
    assert client.get("/api/transfers", headers=ada).get_json()["people"] == 0
    assert client.get("/api/recipients", headers=bearer(sqlite_only.token("marketer"))).status_code == 403


def test_an_officer_does_the_same_on_pages_and_a_second_one_approves(sqlite_only: House) -> None:
    ada, bob = sqlite_only.browser("officer"), sqlite_only.browser("officer")
    form = AGENCY | {"purposes": "marketing.channel.sms", "categories": "phone"}
    wrong = ada.post("/recipients/new", form | {"country": "China"})
    assert wrong.status_code == 422
    assert 'value="Lantern Messages (invented)"' in wrong.get_data(as_text=True)
    made = ada.post("/recipients/new", form)
    assert made.status_code == 303, made.get_data(as_text=True)
    path = made.headers["Location"]
    assert "There is no agreement with it yet." in ada.get(path).get_data(as_text=True)
    terms = agreement("") | {"purposes": "marketing.channel.sms", "categories": "phone"}
    assert ada.post(f"{path}/agreements/new", {name: value for name, value in terms.items() if name != "recipient"}).status_code == 303
    told = ASSESSMENT | {"scope": "recipient:lantern-sms"}
    drafted = ada.post("/assessments/new", told)
    assert drafted.status_code == 303
    assessment = drafted.headers["Location"]
    assert "Approve this version" not in ada.get(assessment).get_data(as_text=True)
    assert "Approve this version" in bob.get(assessment).get_data(as_text=True)
    assert ada.post(f"{assessment}/approvals", {"version": "1"}).status_code == 403
    assert bob.post(f"{assessment}/approvals", {"version": "1"}).status_code == 303
    assert ada.post(f"{path}/status", {"version": "1", "status": "active"}).status_code == 303
    page = ada.get(path).get_data(as_text=True)
    assert "Suspend it" in page
    assert "Before data may go there" not in page
    assert ada.post(f"{path}/status", {"version": "1", "status": "ended"}).status_code == 412
    assert "lantern-sms" in ada.get("/recipients.csv").get_data(as_text=True)
    for address in (
        "/recipients",
        "/assessments",
        "/register",
        "/register.csv",
        "/register.json",
        "/transfers",
        "/controls",
        "/controls.csv",
    ):
        assert ada.get(address).status_code == 200, address
    one = re.search(r"/agreements/agr_[0-9a-f]{24}", page)
    assert one
    assert ada.post(f"{one[0]}/endings", {"version": "1"}).status_code == 303
    certificate = {"version": "2", "outcome": "deleted", "on": "2026-06-15", "statement": "Everything is deleted."}
    assert ada.post(f"{one[0]}/certificates", certificate).status_code == 303
    assert "Everything is deleted." in ada.get(one[0]).get_data(as_text=True)


def test_an_incident_is_opened_counted_from_a_file_and_closed(sqlite_only: House) -> None:
    _, key = sqlite_only.source("shop")
    sqlite_only.grant(key, [("phone", "13812340000"), ("phone", "13812340001")])
    officer = sqlite_only.browser("officer")
    form = INCIDENT | {"network": "1", "categories": "phone", "discovered_at": "2026-06-15T11:30"}
    opened = officer.post("/incidents/new", form)
    assert opened.status_code == 303, opened.get_data(as_text=True)
    path = opened.headers["Location"]
    page = officer.get(path).get_data(as_text=True)
    assert "国家网络安全事件报告管理办法" in page
    file = (io.BytesIO(b"13812340000,Ada\n13900000000,Nobody\n"), "list.csv")
    counted = officer.post(f"{path}/lists", {"type": "phone", "file": file}, content_type="multipart/form-data")
    assert counted.status_code == 303, counted.get_data(as_text=True)
    page = officer.get(path).get_data(as_text=True)
    assert re.search(r"<code>people</code>\s*1", page)
    assert "13812340000" not in page
    assert officer.post(f"{path}/affected", {"by": "column", "column": "phone"}).status_code == 303
    assert officer.post(f"{path}/affected", {"by": "column", "column": "no.such"}).status_code == 422
    assert officer.post(f"{path}/notifications", {"version": "3", "clock": "cn_network", "at": "2026-06-15T12:00"}).status_code == 303
    assert officer.post(f"{path}/states", {"version": "4", "state": "closed"}).status_code == 422
    assert officer.post(f"{path}/states", {"version": "4", "state": "closed", "reason": "nobody could read it"}).status_code == 303
    assert "个人信息安全事件告知书" in officer.get(f"{path}/letter.txt").get_data(as_text=True)


def test_a_pack_is_taken_and_downloaded_and_its_handing_out_is_logged(sqlite_only: House) -> None:
    officer = sqlite_only.browser("officer")
    sqlite_only.services.make_lake()
    assert officer.post("/audit-packs").status_code == 303
    page = officer.get("/audit-packs").get_data(as_text=True)
    (address,) = set(re.findall(r'href="(/audit-packs/[0-9-]+\.zip)"', page))
    first = officer.get(address)
    assert first.mimetype == "application/zip"
    assert officer.get(address).get_data() == first.get_data()
    names = zipfile.ZipFile(io.BytesIO(first.get_data())).namelist()
    assert {"manifest.json", "manifest.jws", "points.json"} <= set(names)
    token = bearer(sqlite_only.token("officer"))
    listed = sqlite_only.client.get("/api/audit-packs", headers=token).get_json()["items"]
    assert sqlite_only.client.get(f"/api/audit-packs/{listed[0]['pack']}", headers=token).get_data() == first.get_data()
    wanted = sqlite_only.services.log_filter(action="audit.pack")
    assert len(list(sqlite_only.services.oversight.extract(wanted, actor="test", limit=10))) == 3


def test_every_page_of_papers_opens_in_both_languages(sqlite_only: House) -> None:
    things = furnish(sqlite_only.services)
    officer = sqlite_only.browser("officer")
    paths = [
        *("/controls", "/register", "/transfers", "/audit-packs", "/recipients", "/recipients/new", "/assessments", "/assessments/new"),
        *("/incidents", "/incidents/new", f"/recipients/{things['recipient']}", f"/recipients/{things['recipient']}/change"),
        *(f"/recipients/{things['recipient']}/agreements/new", f"/agreements/{things['agreement']}"),
        *(
            f"/agreements/{things['agreement']}/change",
            f"/assessments/{things['assessment']}",
            f"/assessments/{things['assessment']}/change",
        ),
        *(f"/incidents/{things['incident']}", f"/incidents/{things['incident']}/change"),
    ]
    for language, word in (("en", "Compliance"), ("zh_Hans_CN", "合规")):
        officer.client.set_cookie("piying_language", language)
        for path in paths:
            answer = officer.get(path)
            assert answer.status_code == 200, (language, path)
            assert word in answer.get_data(as_text=True), (language, path)
