"""What the dictionary says and where data about people is: live facts for commands, routes and the officer.

Promise: read from the catalogue and the stores themselves, so that the lists cannot go stale. Never a value about a person.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from privacy.dictionary import catalogue
from privacy.errors import Invalid, PiyingError

if TYPE_CHECKING:
    from app.settings import RetentionSettings
    from app.wiring import Services


def dictionary(record: str | None = None) -> list[dict[str, Any]]:
    """Every field that a source may send; `becomes` is `table.column: treatment` or `drop`."""
    known = catalogue.load()
    return [
        {
            "record": kind.name,
            "field": field.name,
            "type": field.type,
            "unit": field.unit,
            "class": field.class_,
            "category": field.category,
            "purposes": list(field.purposes),
            "becomes": [f"{one.table}.{one.column}: {one.treatment}" for one in field.becomes] or ["drop"],
            "meaning": field.meaning_en,
            "meaning_zh": field.meaning_zh,
            "people": kind.people,
        }
        for kind in known.records.values()
        if record is None or kind.name == record
        for field in kind.fields.values()
    ]


def dictionary_in_use(services: Services, record: str | None = None) -> list[dict[str, Any]]:
    """The dictionary's fields with the kinds of report that may group or filter by what each becomes."""
    used = services.report_columns()
    fed = {
        (kind.name, field.name): [f"{one.table}.{one.column}" for one in field.becomes]
        for kind in catalogue.load().records.values()
        for field in kind.fields.values()
    }
    return [
        one | {"used_in": sorted({kind for column in fed[one["record"], one["field"]] for kind in used.get(column, ())})}
        for one in dictionary(record)
    ]


Place = tuple[str, str, str, str]
"""Where, what it holds, in which form, kept for how long."""


def inventory(services: Services) -> list[dict[str, Any]]:
    """Every place that holds data about people. `people` tables of the lake come from the dictionary, the rest from the stores."""
    kept = services.settings.retention
    lake = [
        (f"lake: {table.name}", table.meaning_en, "virtual IDs of the month", f"{kept.lake_months} months")
        for table in catalogue.load().tables.values()
        if table.people
    ]
    places = [*_vault(kept), *_platform(kept), *_desk(kept), *_visits(), *_staff(), *lake]
    return [dict(zip(("place", "holds", "form", "kept"), row, strict=True)) for row in places]


def _vault(kept: RetentionSettings) -> list[Place]:
    return [
        ("vault: person", "that a person exists, sealed birth dates", "random ids, sealed values", "until erasure"),
        (
            "vault: person_merge, person_separation, link_batch, refused_link, merge_proposal",
            "who is held to be one person and why, who is kept apart, which links were refused or proposed",
            "random ids, rules, times",
            "until erasure",
        ),
        ("vault: identifier", "identifiers", "sealed under the person's key; keyed digests for look-up", "until erasure"),
        (
            "vault: export_holding",
            "which rows of an export a recipient holds",
            "sealed under a key of the recipient, at marks that lead nowhere without it",
            "until the recipient acknowledged the removal",
        ),
        ("vault: data_key", "the persons' keys", "wrapped", "until erasure"),
        ("vault: tombstone", "that an identifier was erased", "keyed digests", f"{kept.evidence_months} months"),
        ("vault: erased_person", "that a person was erased", "permuted ids that lead to nobody", f"{kept.evidence_months} months"),
        (
            "vault: erasure_slip",
            "whom a running erasure is about",
            "sealed under a key of its own",
            "until its certificate, at most 30 days",
        ),
        ("vault: sealed_payload", "items whose form failed", "sealed under a key of the day", f"{kept.quarantine_days} days"),
    ]


def _given_away() -> list[Place]:
    return [
        (
            "platform: suppression",
            "who was taken out at which recipient, why and since when",
            "under a consent handle",
            "until acknowledged where the person is erased, else as evidence",
        ),
        (
            "platform: delivered_export, export_delivery, export_pause, suppression_delta, suppression_head",
            "what was sent to which recipient, and how that ended",
            "counts, digests, codes; no person",
            "as evidence",
        ),
        (
            "platform: export, export_file, export_count, export_control",
            "which lists were asked for, approved and released, with their manifests; noisy counts; addresses that the controller owns",
            "counts, digests, ids of staff; the files lie in the folder exports, sealed for their recipients",
            "as evidence",
        ),
        (
            "platform: export_person, export_barred",
            "who left in which list, and who gets none",
            "under a consent handle",
            "until erasure",
        ),
        ("platform: export_absent", "who was left out of a list before anybody took it", "under a consent handle", "seconds"),
    ]


def _chosen(kept: RetentionSettings) -> list[Place]:
    return [
        ("platform: segment_version", "who is meant by a segment, for which purpose and use", "rules; no person", "as evidence"),
        ("platform: audience", "which audiences are kept, made from which segment, until when", "rules; no person", "as evidence"),
        (
            "platform: audience_member",
            "who stands in an audience, and who did",
            "under a key of the audience",
            f"while the person allows marketing.profiling; {kept.membership_days} days after leaving it; with the audience",
        ),
    ]


def _platform(kept: RetentionSettings) -> list[Place]:
    return [
        ("platform: consent_event, consent_state", "what people decided", "under a consent handle", f"{kept.evidence_months} months"),
        (
            "platform: agreement",
            "who agreed to which notice of privacy, when, by which source's word",
            "under a consent handle",
            f"{kept.evidence_months} months",
        ),
        (
            "platform: person_case",
            "which officer may go back to whom, for which purpose",
            "under a handle of the case's own",
            "8 hours",
        ),
        (
            "platform: minor_approval",
            "who asked to look at a minor, why in scrubbed words, who approved it",
            "the number of a case of eight hours",
            f"{kept.evidence_months} months",
        ),
        (
            "platform: stopped_count",
            "how many items a no kept out, by purpose and month; read for one person at a time by officers alone",
            "under a consent handle",
            "12 months",
        ),
        *_given_away(),
        *_chosen(kept),
        ("platform: log_entry, log_payload", "who touched what", "handles and counts, salted", f"{kept.evidence_months} months"),
        ("platform: inbox", "de-identified rows on their way", "virtual IDs of the month", "until flushed"),
        ("platform: seen_run, seen_generation, seen_part", "that an item was stored", "keyed digests", f"{kept.dedupe_days} days"),
        (
            "platform: quarantine_item",
            "which items failed in form, where and by which rule",
            "positions, rules",
            f"{kept.quarantine_days} days",
        ),
        ("platform: pull_cursor", "where the reading of a source goes on", "sealed where it may be a number of somebody's", "until moved"),
        ("platform: pull_file", "which files of a watched folder were taken", "keyed digests", "until the pull is removed"),
        (
            "platform: file_import, import_chunk, import_part, import_file",
            "which files were imported and which of their rows failed; the file itself is sealed in the folder uploads until it is imported",
            "positions, rules, counts, names of files without what looks like a number of somebody",
            f"{kept.verdict_days} days",
        ),
        (
            "platform: live_watch, live_row",
            "the newest items of a source that somebody watches, in de-identified words",
            "no id of any kind, hours and minutes, orders of magnitude",
            "while watched, at most 200 of a source",
        ),
        ("platform: request_verdict", "verdicts of form by item", "positions and rules", f"{kept.verdict_days} days"),
    ]


def _desk(kept: RetentionSettings) -> list[Place]:
    """What officers work with."""
    return [
        (
            "platform: erasure, erasure_step",
            "that somebody is being or was erased, by whose word, how far it is, the certificate",
            "numbers, counts, no handle",
            f"{kept.evidence_months} months",
        ),
        (
            "platform: lapse",
            "whose last analytic purpose ended, when their rows go or went",
            "under a consent handle",
            f"{kept.evidence_months} months",
        ),
        (
            "platform: request, request_event",
            "who asked for what under which right, where it stands and who did what about it",
            "under a handle of its own, codes, sentences that name nobody",
            f"{kept.evidence_months} months",
        ),
        (
            "platform: request_package",
            "which copies were made for people; the copies themselves are sealed in the folder packages, each under a key of its own",
            "digests, counts by store",
            "14 days, then the key dies",
        ),
        (
            "platform: person_flag",
            "whose data is restricted, and who objects to automated decisions",
            "under a consent handle",
            "until lifted, then as evidence",
        ),
        (
            "platform: evidence_pack",
            "which bundles of the log were asked for and handed out; the bundle itself lies sealed in the folder evidence",
            "the log's handles until it is over; digests, counts",
            "14 days",
        ),
        (
            "platform: dossier",
            "recipients, agreements, assessments, incidents; contacts of companies",
            "in clear, no customer",
            "3 years and longer",
        ),
        (
            "platform: abroad_person, abroad_erased",
            "whose data went abroad in which year; of erased people the number alone",
            "under a mark of the counter's own",
            "until erasure",
        ),
    ]


def _visits() -> list[Place]:
    return [
        (
            "platform: public_visit, outbox_message",
            "that somebody asked for a code on the public page, and that a message waits; who and what stands sealed in the vault",
            "keyed digests, references, times",
            "35 minutes",
        ),
        (
            "platform: tag_objection",
            "which tags about themselves people deleted",
            "consent handles, names of columns",
            "until erasure",
        ),
    ]


def _staff() -> list[Place]:
    return [
        (
            "platform: account, account_choice, setup_code, token, credential",
            "who works here",
            "addresses of staff; digests of codes and tokens, hashes of passwords, sealed secrets of second steps",
            "while they work here",
        ),
        (
            "platform: team_share, team_member, team_month",
            "which team a member of staff belongs to, and what it may spend",
            "account ids, names of teams",
            "while they work here",
        ),
        ("platform: repeat", "which requests that make something were sent, and what they made", "digests, ids of ours", "7 days"),
        ("platform: console_session", "who is signed in", "digests, times", "12 hours"),
        ("platform: throttle", "how often somebody tried to sign in", "keyed digests, counts", "1 day"),
    ]


def purposes(services: Services) -> list[dict[str, Any]]:
    """Every registered purpose with its grounds by jurisdiction."""
    with services.read_console() as tx:
        return [
            {
                "purpose": one.key,
                "grounds": dict(one.grounds),
                "analytic": one.analytic,
                "separate": one.separate,
                "validity_days": one.validity_days,
                "names": dict(one.name),
            }
            for one in services.purposes(tx).values()
        ]


def notices(services: Services) -> list[dict[str, Any]]:
    """Every notice with its words, oldest first."""
    with services.read_console() as tx:
        return [
            {
                "notice": one.id,
                "version": one.version,
                "texts": dict(one.texts),
                "purposes": list(one.purposes),
                "published_at": one.published_at.isoformat(),
            }
            for one in services.notices(tx)
        ]


def log_entries(services: Services, *, cursor: str | None, actor: str) -> dict[str, Any]:
    """A page of the access log, newest first; reading it is itself an entry, written before."""
    if cursor is not None and not (cursor.isascii() and cursor.isdigit() and len(cursor) <= 18):
        raise Invalid("the cursor is not one of ours", code="bad_cursor", field="cursor")
    return services.log_page(before=None if cursor is None else int(cursor), actor=actor)


def readiness(services: Services) -> dict[str, bool]:
    """Keys open, stores and log writable, schema its own, inbox age under its limit."""

    def holds(look: Callable[[], object]) -> bool:
        try:
            return look() is not False
        except PiyingError:
            return False

    def writable() -> None:
        with services.stores.begin_vault(), services.begin_jobs():
            pass

    def log_writable() -> bool:
        """The log's head under its lock, which is what every act needs; nothing is written."""
        with services.begin_console() as tx:
            return services.log_ready(tx)

    return {
        "keys": services.lock is None,
        "vault_schema": holds(lambda: services.check_schema("vault")),
        "platform_schema": holds(lambda: services.check_schema("platform")),
        "stores": holds(writable),
        "log": holds(log_writable),
        "inbox": holds(lambda: services.inbox_age() <= services.settings.limits.inbox_age),
    }
