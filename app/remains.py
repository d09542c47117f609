"""Every place where something of a person may stand: how it is erased there, and how it is looked for afterwards.

Promise: erasing a place may be repeated; a look asks the place itself and believes no count of what was done. A table of either store that
is in no list here fails the tests, so that nothing new is forgotten. Learns people in memory as the door hands them on; counts come back.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from app import deliveries, holding, imports, intake, packing, uploads
from ingestion import inbox, live
from privacy.errors import Unavailable

if TYPE_CHECKING:
    from app.wiring import Services
    from privacy.rights.erasure import Subject

Counts = dict[str, int]
Erase = Callable[["Services", Sequence["Subject"]], list[Counts]]
Look = Callable[["Services", Sequence["Subject"]], list[int]]
NAMES = ("month", "virtual_id", "number")
LOOKED_AT = 500
"""Waiting batches that a look opens at once."""


@dataclass(frozen=True, slots=True)
class Place:
    """A place: its name on certificates, the word for how it forgets, the two functions; both take everybody who is erased together."""

    name: str
    method: str
    erase: Erase
    look: Look


def _each(one: Callable[[Services, Subject], Counts]) -> Erase:
    return lambda services, subjects: [one(services, subject) for subject in subjects]


def _left(name: str) -> Look:
    return lambda services, subjects: [services.erasures.left(subject)[name] for subject in subjects]


def _nothing(services: Services, subjects: Sequence[Subject]) -> list[Counts]:
    return [{} for _ in subjects]


# ── what failed in form ────────────────────────────────────────────────────────────────────────────────────────────────────────


def _references(services: Services, subjects: Sequence[Subject]) -> list[str]:
    """Sealed payloads about these people; every one where nobody knows any more what to look for."""
    if any(not subject.slip.whole for subject in subjects):
        return services.box.everything()
    return services.box.about([one for subject in subjects for one in subject.identifiers])


def _erase_held(services: Services, subjects: Sequence[Subject]) -> list[Counts]:
    removed = holding.destroy(services, _references(services, subjects), actor="erasure")
    return [{"held": removed if not number else 0} for number, _ in enumerate(subjects)]


def _look_held(services: Services, subjects: Sequence[Subject]) -> list[int]:
    if not _references(services, subjects):
        return [0 for _ in subjects]
    return [len(_references(services, [subject])) for subject in subjects]


# ── uploads ────────────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _files_about(services: Services, subjects: Sequence[Subject]) -> list[imports.Facts]:
    """Uploaded files, not imported yet, in which somebody of these stands."""
    with services.read_intake() as tx:
        waiting = [one for one in imports.with_content(tx) if one.sealed_bytes]
    found = services.needle([one for subject in subjects for one in subject.identifiers])
    return [one for one in waiting if any(found(piece) for piece in services.pieces(one))]


def _erase_uploads(services: Services, subjects: Sequence[Subject]) -> list[Counts]:
    """A file that waits is called off; one that is being imported is waited for: the marks keep the person out of it."""
    about = _files_about(services, subjects)
    for facts in about:
        if facts.state not in (imports.QUEUED, imports.RUNNING):
            uploads.cancel(services, facts.id, actor="erasure")
    if any(facts.state in (imports.QUEUED, imports.RUNNING) for facts in about):
        raise Unavailable("a file in which the person stands is being imported", code="erasure_waits", retry_after=60)
    return [{"files": len(about) if not number else 0} for number, _ in enumerate(subjects)]


def _look_uploads(services: Services, subjects: Sequence[Subject]) -> list[int]:
    if not _files_about(services, subjects):
        return [0 for _ in subjects]
    return [len(_files_about(services, [subject])) for subject in subjects]


# ── cases, live rows ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def _erase_cases(services: Services, subject: Subject) -> Counts:
    return {"cases": services.end_cases_of(services.cases_about(subject.people))}


def _look_cases(services: Services, subjects: Sequence[Subject]) -> list[int]:
    return [len(services.cases_about(subject.people)) for subject in subjects]


def _erase_packages(services: Services, subject: Subject) -> Counts:
    """Copies that were made for the person's own requests."""
    return packing.sweep(services, services.erasures.requests(subject))


def _erase_live(services: Services, subjects: Sequence[Subject]) -> list[Counts]:
    """Rows without any id are nobody's to tell: the rings are emptied."""
    with services.begin_intake() as tx:
        gone = live.clear(tx)
    return [{"rows": gone if not number else 0} for number, _ in enumerate(subjects)]


# ── recipients ─────────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _erase_recipients(services: Services, subject: Subject) -> Counts:
    """Recipients are told to let go of the person, in their own form; the row that says which is forgotten when they acknowledge it."""
    return deliveries.erased(services, subject.people)


# ── inbox and lake ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _erase_inbox(services: Services, subjects: Sequence[Subject]) -> list[Counts]:
    """What waits goes into the lake, where it can be taken out."""
    moved = intake.flush(services)["rows"]
    return [{"moved": moved if not number else 0} for number, _ in enumerate(subjects)]


def _look_inbox(services: Services, subjects: Sequence[Subject]) -> list[int]:
    left = np.zeros(len(subjects), np.int64)
    after = 0
    while True:
        with services.read_jobs() as tx:
            waiting = inbox.pending(tx, limit=LOOKED_AT, after=after)
        if not waiting:
            return [int(one) for one in left.tolist()]
        after = waiting[-1].seq
        for batch in waiting:
            rows = batch.open()
            if "virtual_id" not in rows.column_names:
                continue
            names = services.erasures.names(subjects, sorted(set(rows["month"].to_pylist())))
            known = {(month, name): number for month, name, number in zip(*(names[column].to_pylist() for column in NAMES), strict=True)}
            for key in zip(rows["month"].to_pylist(), rows["virtual_id"].to_pylist(), strict=True):
                if key in known:
                    left[known[key]] += 1


def _erase_lake(services: Services, subjects: Sequence[Subject]) -> list[Counts]:
    with services.lake_lease():
        names = services.erasures.names(subjects, services.lake_erasure.months())
        with services.read_jobs() as tx:
            apart = imports.file_owners(tx)
        done = services.lake_erasure.erase(names, apart=apart, announce=partial(intake.note_files, services))
    first = {"files_rewritten": done.files_rewritten, "files_deleted": done.files_deleted}
    return [{"rows": done.rows.get(number, 0)} | (first if not number else {}) for number, _ in enumerate(subjects)]


def _look_lake(services: Services, subjects: Sequence[Subject]) -> list[int]:
    found = services.lake_erasure.look(services.erasures.names(subjects, services.lake_erasure.months()))
    return [found.get(number, 0) for number, _ in enumerate(subjects)]


# ── the list ───────────────────────────────────────────────────────────────────────────────────────────────────────────────────

CONSENT = Place("consent", "withdrawn", _each(lambda services, one: services.erasures.close(one)), _left("consent"))
KEYS = Place("keys", "shredded", _each(lambda services, one: services.erasures.shred(one.erasure)), _left("keys"))
VAULT = Place("vault", "deleted", _each(lambda services, one: services.erasures.remove(one)), _left("vault"))
MARKS = Place("tombstones", "kept", _each(lambda services, one: services.erasures.shred(one.erasure)), _left("marks"))
GATE = Place("gate", "withdrawn", _each(lambda services, one: services.erasures.close(one, again=True)), _left("consent"))
HELD = Place("quarantine", "deleted", _erase_held, _look_held)
UPLOADS = Place("uploads", "deleted", _erase_uploads, _look_uploads)
CASES = Place("cases", "deleted", _each(_erase_cases), _look_cases)
LIVE = Place("live_rows", "emptied", _erase_live, lambda services, subjects: [0 for _ in subjects])
PACKAGES = Place(
    "packages", "shredded", _each(_erase_packages), lambda services, subjects: [services.erasures.packages(one) for one in subjects]
)
COUNTS = Place("stopped_counts", "deleted", _each(lambda services, one: services.erasures.forget(one)), _left("stopped"))
FLAGS = Place("flags", "deleted", _each(lambda services, one: services.erasures.forget(one)), _left("flags"))
ABROAD = Place("transfers_abroad", "deleted", _each(lambda services, one: services.erasures.forget(one)), _left("abroad"))
LOG = Place("log", "payloads_erased", _each(lambda services, one: services.erasures.blank(one)), _left("log"))
EXPORTS = Place(
    "exports",
    "deleted",
    _each(lambda services, one: {"rows": services.exports.forget(one.people)}),
    lambda services, subjects: [services.exports.held(one.people) for one in subjects],
)
AUDIENCES = Place(
    "audiences",
    "deleted",
    _each(lambda services, one: {"rows": services.kept.forget(one.people)}),
    lambda services, subjects: [services.kept.held(one.people) for one in subjects],
)
RECIPIENTS = Place(
    "recipients",
    "told",
    _each(_erase_recipients),
    lambda services, subjects: [services.deliveries.untold(one.people) for one in subjects],
)
INBOX = Place("inbox", "moved", _erase_inbox, _look_inbox)
LAKE = Place("lake", "rewritten", _erase_lake, _look_lake)

STEPS: tuple[tuple[str, tuple[Place, ...]], ...] = (
    ("close", (CONSENT,)),
    ("shred", (KEYS,)),
    ("vault", (VAULT,)),
    ("gate", (GATE,)),
    ("held", (HELD,)),
    ("uploads", (UPLOADS,)),
    ("platform", (CASES, LIVE, PACKAGES, COUNTS, AUDIENCES, RECIPIENTS, EXPORTS)),
    ("log", (LOG,)),
    ("inbox", (INBOX,)),
    ("lake", (LAKE,)),
)
"""Steps in their order, each with the places it clears."""

LOOKED = (
    KEYS,
    VAULT,
    MARKS,
    CONSENT,
    HELD,
    UPLOADS,
    CASES,
    LIVE,
    PACKAGES,
    COUNTS,
    FLAGS,
    ABROAD,
    AUDIENCES,
    RECIPIENTS,
    EXPORTS,
    LOG,
    INBOX,
    LAKE,
)
"""The places of a certificate."""

TABLES: dict[str, str] = {
    **dict.fromkeys(("person", "identifier", "person_merge", "person_separation", "refused_link", "merge_proposal"), VAULT.name),
    "data_key": KEYS.name,
    **dict.fromkeys(("sealed_payload", "quarantine_item"), HELD.name),
    "consent_state": CONSENT.name,
    "person_case": CASES.name,
    **dict.fromkeys(("live_row", "live_watch"), LIVE.name),
    "request_package": PACKAGES.name,
    "stopped_count": COUNTS.name,
    **dict.fromkeys(("person_flag", "tag_objection"), FLAGS.name),
    "abroad_person": ABROAD.name,
    **dict.fromkeys(("export_person", "export_barred"), EXPORTS.name),
    "audience_member": AUDIENCES.name,
    "log_payload": LOG.name,
    "inbox": INBOX.name,
    **dict.fromkeys(("file_import", "import_chunk", "import_part", "import_file"), UPLOADS.name),
    **dict.fromkeys(("consent_event", "agreement", "request", "request_event", "log_entry", "log_node", "log_head"), "kept as evidence"),
    **dict.fromkeys(("tombstone", "erased_person", "erasure", "erasure_step", "lapse"), "kept so that nobody comes back"),
    "erasure_slip": "ends with its certificate",
    **dict.fromkeys(("export_holding", "suppression", "export_absent"), RECIPIENTS.name),
    **dict.fromkeys(
        ("evidence_pack", "public_visit", "outbox_message", "consent_request", "request_verdict"), "ends by itself within days"
    ),
    **dict.fromkeys(("seen_run", "seen_generation", "seen_part", "seen_head", "ephemeral_key"), "random keys and digests of messages"),
}
"""Tables that speak of people, or could: the place that clears them, or why they stay. What is in no list speaks of nobody."""

OF_NOBODY = frozenset(
    {
        *("key_state", "link_batch", "source_secret", "vault_meta", "abroad_erased", "account", "account_choice", "budget_month", "charge"),
        *("checkpoint", "consent_head", "console_session", "cosignature", "credential", "delivery", "dossier", "dropped_field", "job"),
        *("audience", "lease", "notice", "segment_version", "pull", "pull_cursor", "pull_file", "purpose", "quality"),
        *("rate_bucket", "release", "repeat"),
        *(
            "schedule",
            "setup_code",
            "source",
            "source_client",
            "source_key",
            "source_owner",
            "tally",
            "team_member",
            "team_month",
            "team_share",
        ),
        *("throttle", "token", "minor_approval", "export", "export_count", "export_control", "export_file"),
        *("export_delivery", "export_pause", "delivered_export", "suppression_delta", "suppression_head"),
    }
)
"""Tables of sources, staff, budgets and counts: no row of theirs is a person's."""
