"""Which entry of the access log each address leaves: written down for every route, so that a new one is thought about.

Promise: an address whose answer holds rows about people, a decision, an export, a release or a change leaves an act of its own; what leaves
none stands under the reason why. A test walks the routes and holds the two equal.
"""

from __future__ import annotations

LEAVES: dict[tuple[str, str], str] = {
    # programs
    ("GET", "/api/audit/entries"): "log.read",
    ("POST", "/api/audit/verifications"): "log.verify",
    ("POST", "/api/audit/packs"): "evidence.order",
    ("GET", "/api/audit/packs/<pack_id>/content"): "evidence.download",
    ("GET", "/api/consents"): "consent.list",
    ("GET", "/api/consents/<receipt_id>"): "consent.copy",
    ("POST", "/api/consents/<receipt_id>/verifications"): "consent.verify",
    ("POST", "/api/subjects/lookups"): "case.open",
    ("GET", "/api/subjects/cases/<case_id>"): "case.view",
    ("GET", "/api/subjects/cases/<case_id>/timeline"): "case.view",
    ("GET", "/api/subjects/cases/<case_id>/holdings"): "case.view",
    ("GET", "/api/subjects/cases/<case_id>/stopped"): "case.view",
    ("POST", "/api/subjects/cases/<case_id>/reveals"): "person.reveal",
    ("POST", "/api/subjects/cases/<case_id>/decisions"): "consent.record",
    ("GET", "/api/minors"): "minor.list",
    ("POST", "/api/subjects/reasons"): "person.reasons",
    ("GET", "/api/subjects/proposals"): "person.proposals",
    ("POST", "/api/subjects/cases/<case_id>/closing"): "case.close",
    ("POST", "/api/sources"): "source.add",
    ("PATCH", "/api/sources/<source_id>"): "source.change",
    ("POST", "/api/sources/<source_id>/rotations"): "source.rotate",
    ("POST", "/api/sources/<source_id>/live"): "source.live",
    ("POST", "/api/tokens"): "token.add",
    ("POST", "/api/users"): "account.add",
    ("POST", "/api/imports"): "import.announce",
    ("POST", "/api/quarantine/replays"): "quarantine.replay",
    # people
    ("GET", "/access-log"): "log.read",
    ("GET", "/access-log.csv"): "log.extract",
    ("GET", "/access-log/<entry_id>"): "log.entry",
    ("POST", "/access-log/verifications"): "log.verify",
    ("GET", "/consents"): "consent.list",
    ("GET", "/endings"): "lapse.list",
    ("GET", "/endings.csv"): "lapse.list",
    ("GET", "/consents.csv"): "consent.extract",
    ("GET", "/consents.jsonl"): "consent.extract",
    ("GET", "/consents/<receipt_id>"): "consent.receipt",
    ("GET", "/consents/<receipt_id>/receipt.json"): "consent.copy",
    ("POST", "/consents/<receipt_id>/verifications"): "consent.verify",
    ("POST", "/people"): "case.open",
    ("GET", "/people/<case_id>"): "case.view",
    ("GET", "/people/<case_id>/reveals"): "case.view",
    ("GET", "/people/<case_id>/decisions"): "case.view",
    ("GET", "/people/proposals"): "person.proposals",
    ("GET", "/people/minors"): "minor.list",
    ("POST", "/people/<case_id>/closings"): "case.close",
    ("POST", "/evidence/new"): "evidence.order",
    ("GET", "/evidence/<pack_id>/pack.zip"): "evidence.download",
    ("POST", "/sign-out"): "sign_out",
}
"""(method, rule) → the act that the address leaves when it does its work."""
