"""Which part of a person's copy covers which table, and which tables hold nobody: the completeness of a copy, as data.

Promise: pure. Every table of both stores and of the lake stands in exactly one of the two lists; a test looks at the tables themselves, so
that a new one without a line here fails it. What is not copied says why, and that stands in the copy's own manifest.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

IDENTIFIERS, CONSENTS, AGREEMENTS, FLAGS, REQUESTS, CASES, LOG, STOPPED, WAITING, HELD, ABROAD, RECIPIENTS, AUDIENCES, LAPSES, EXPLANATION = (
    "identifiers", "consents", "agreements", "flags", "requests", "cases", "log", "stopped", "waiting", "held", "abroad", "recipients",
    "audiences", "lapses", "explanation",
)  # fmt: skip
LAKE: Final = "lake."
"""Parts out of the lake are named after their table."""

PARTS: Final = (
    IDENTIFIERS, CONSENTS, AGREEMENTS, FLAGS, REQUESTS, CASES, LOG, STOPPED, WAITING, HELD, ABROAD, RECIPIENTS, AUDIENCES, LAPSES,
    EXPLANATION,
)  # fmt: skip

COVERED: Final[Mapping[str, str]] = {
    "vault.person": IDENTIFIERS,
    "vault.identifier": IDENTIFIERS,
    "vault.link_batch": IDENTIFIERS,
    "vault.person_merge": IDENTIFIERS,
    "vault.person_separation": IDENTIFIERS,
    "vault.refused_link": IDENTIFIERS,
    "vault.merge_proposal": IDENTIFIERS,
    "vault.sealed_payload": HELD,
    "platform.consent_event": CONSENTS,
    "platform.consent_state": CONSENTS,
    "platform.agreement": AGREEMENTS,
    "platform.person_flag": FLAGS,
    "platform.tag_objection": FLAGS,
    "platform.abroad_person": ABROAD,
    "platform.export_person": RECIPIENTS,
    "platform.export_barred": RECIPIENTS,
    "platform.export_absent": RECIPIENTS,
    "platform.suppression": RECIPIENTS,
    "vault.export_holding": RECIPIENTS,
    "platform.audience_member": AUDIENCES,
    "platform.lapse": LAPSES,
    "platform.request": REQUESTS,
    "platform.request_event": REQUESTS,
    "platform.request_package": REQUESTS,
    "platform.person_case": CASES,
    "platform.log_entry": LOG,
    "platform.log_payload": LOG,
    "platform.stopped_count": STOPPED,
    "platform.inbox": WAITING,
}
"""Table → part. Tables of the lake about people stand under their own name, `lake.<table>`."""

_KEYS = "keys and checks of keys"
_WORK = "work of the program: counts, states and ids of ours"
_STAFF = "about staff, whose own rights are their employer's business"
_NUMBERS = "anonymous statistics: no row is about one person (PIPL 4, 73(4))"
_DIGESTS = "keyed digests that lead to nobody, kept so that nothing is stored twice or comes back"
_FORM = "positions and rules of items whose form failed, without what they said"
_GONE = "about people who are erased: nobody is left to copy it for"
_HOUSE = "records of the house about its own processing; they name no person"
_PASSING = "sealed words of a visit to the public page, gone within a quarter of an hour"
_PUBLIC = "what the house publishes: the same for everybody"

EMPTY_OF_PEOPLE: Final[Mapping[str, str]] = {
    "vault.data_key": _KEYS,
    "vault.ephemeral_key": _KEYS,
    "vault.key_state": _KEYS,
    "vault.vault_meta": _KEYS,
    "vault.source_secret": _KEYS,
    "vault.tombstone": _DIGESTS,
    "vault.erased_person": _GONE,
    "vault.erasure_slip": _GONE,
    "platform.erasure": _GONE,
    "platform.erasure_step": _GONE,
    "platform.abroad_erased": _NUMBERS,
    "platform.dossier": _HOUSE,
    "platform.minor_approval": "who of the staff may look at a minor, by the number of a case that is over within a day; its looks are in the log",
    "platform.export": _HOUSE,
    "platform.export_file": _HOUSE,
    "platform.export_control": _HOUSE,
    "platform.export_count": _NUMBERS,
    "platform.segment_version": _HOUSE,
    "platform.audience": _HOUSE,
    "platform.delivered_export": _HOUSE,
    "platform.export_delivery": _WORK,
    "platform.export_pause": _WORK,
    "platform.suppression_delta": _HOUSE,
    "platform.suppression_head": _WORK,
    "platform.evidence_pack": _HOUSE,
    "platform.cosignature": _DIGESTS,
    "platform.public_visit": _PASSING,
    "platform.outbox_message": _PASSING,
    "platform.log_head": _WORK,
    "platform.log_node": _DIGESTS,
    "platform.checkpoint": _DIGESTS,
    "platform.consent_head": _WORK,
    "platform.consent_request": _DIGESTS,
    "platform.purpose": _PUBLIC,
    "platform.notice": _PUBLIC,
    "platform.budget_month": _NUMBERS,
    "platform.charge": _NUMBERS,
    "platform.release": _NUMBERS,
    "platform.team_share": _STAFF,
    "platform.team_member": _STAFF,
    "platform.team_month": _STAFF,
    "platform.account": _STAFF,
    "platform.account_choice": _STAFF,
    "platform.setup_code": _STAFF,
    "platform.token": _STAFF,
    "platform.credential": _STAFF,
    "platform.console_session": _STAFF,
    "platform.throttle": _STAFF,
    "platform.job": _WORK,
    "platform.schedule": _WORK,
    "platform.lease": _WORK,
    "platform.repeat": _WORK,
    "platform.source": _WORK,
    "platform.source_key": _KEYS,
    "platform.source_client": _KEYS,
    "platform.source_owner": _STAFF,
    "platform.rate_bucket": _WORK,
    "platform.pull": _WORK,
    "platform.pull_cursor": _WORK,
    "platform.pull_file": _DIGESTS,
    "platform.file_import": _WORK,
    "platform.import_chunk": _WORK,
    "platform.import_part": _FORM,
    "platform.import_file": _WORK,
    "platform.seen_run": _DIGESTS,
    "platform.seen_generation": _DIGESTS,
    "platform.seen_part": _DIGESTS,
    "platform.seen_head": _WORK,
    "platform.tally": _WORK,
    "platform.dropped_field": _WORK,
    "platform.quality": _WORK,
    "platform.delivery": _WORK,
    "platform.live_watch": _STAFF,
    "platform.live_row": "the newest items of a source without any id, in orders of magnitude; gone within minutes",
    "platform.quarantine_item": _FORM,
    "platform.request_verdict": _FORM,
}
"""Table → why a copy has nothing of it."""

PORTABLE: Final = (IDENTIFIERS, CONSENTS)
"""Of the stores what a person gave; with it go the lake's tables of what they did (PIPL 45(3), GDPR 20)."""
DERIVED: Final = frozenset({"person_month"})
"""Tables of the lake that the house made out of others: not portable by default."""
OTHERS_WORDS: Final = frozenset({"lake.feedback.text"})
"""Columns that may speak of third parties: withheld from a portable file by default."""


def portable(part: str) -> bool:
    """Whether a part goes into a file for another controller."""
    return part in PORTABLE or (part.startswith(LAKE) and part.removeprefix(LAKE) not in DERIVED)
