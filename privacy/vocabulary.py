"""The closed lists that every part speaks: purposes, grounds, identifier types, verdicts, reasons, log kinds.

Promise: a word that is not here is unknown, and the unknown is denied. Pure data; imports nothing of ours.
"""

from __future__ import annotations

from enum import StrEnum

# ── purposes (SHAPES "Consent at admission"; PIPL 13, 14, 23, 29, 39) ──────────────────────────────────────────────────────────

STATISTICS = "analytics.statistics"
PROFILING = "marketing.profiling"
ANALYTIC_PURPOSES = (STATISTICS, PROFILING)
"""The purposes that open the lake. Service and safety purposes never do (law_rules L-3)."""

PURPOSE_FAMILIES = ("share", "crossborder", "sensitive")
"""Families whose members are typed by what follows the dot: recipient, country, category. Each needs separate consent."""


class Ground(StrEnum):
    """Legal grounds. `legitimate_interest` exists only where the jurisdiction knows it; CN does not (PIPL 13)."""

    CONSENT = "consent"
    SEPARATE_CONSENT = "separate_consent"
    CONTRACT = "contract"
    LEGAL_DUTY = "legal_duty"
    PUBLIC_HEALTH = "public_health"
    PUBLIC_INTEREST = "public_interest"
    PUBLISHED = "published"
    OTHER_LAW = "other_law"
    LEGITIMATE_INTEREST = "legitimate_interest"


# ── identifiers (SHAPES "Identity") ────────────────────────────────────────────────────────────────────────────────────────────


class IdentifierType(StrEnum):
    PHONE = "phone"
    EMAIL = "email"
    MEMBER_CARD = "member_card"
    NATIONAL_ID = "national_id"
    UNIONID = "unionid"
    OPENID = "openid"
    CUSTOMER_NO = "customer_no"
    COOKIE = "cookie"
    DEVICE = "device"


STRONG_TYPES = frozenset(IdentifierType) - {IdentifierType.COOKIE, IdentifierType.DEVICE}
NAMESPACED_TYPES = frozenset({IdentifierType.CUSTOMER_NO, IdentifierType.OPENID, IdentifierType.COOKIE, IdentifierType.DEVICE})
"""Types whose value means something only inside the source's namespace."""

ALIAS = "alias"
"""Name of the column that holds a second customer number of a row's person, in the same namespace: two of one type stand in one record."""


class LinkRule(StrEnum):
    """Why an identifier, or a whole person, belongs to somebody."""

    SAME_RECORD = "same_record"
    ALIAS = "alias"
    LATE_IDENTIFICATION = "late_identification"
    MANUAL = "manual"


class LinkRefusal(StrEnum):
    """Why a link was refused; the row that showed it was kept."""

    OVER_LIMIT = "over_limit"
    KEPT_APART = "kept_apart"


IDENTIFIER_LIMITS = {
    IdentifierType.PHONE: 5,
    IdentifierType.EMAIL: 5,
    IdentifierType.MEMBER_CARD: 3,
    IdentifierType.NATIONAL_ID: 1,
    IdentifierType.UNIONID: 1,
    IdentifierType.OPENID: 20,
    IdentifierType.CUSTOMER_NO: 20,
    IdentifierType.DEVICE: 20,
    IdentifierType.COOKIE: 200,
}
"""How many identifiers of a type one person may have; above it the link is refused and the row kept."""

# ── sources ────────────────────────────────────────────────────────────────────────────────────────────────────────────────────

SOURCE_KINDS = ("segment", "rudderstack", "snowplow", "posthog", "sensors", "mini_program", "webhook", "file", "database", "stream")
"""Whose format a source speaks: clients that post messages, a shop's signed webhook, files, a database that is pulled, a stream."""


class OnNoConsent(StrEnum):
    REFUSE = "refuse"
    WAIT = "wait"


class ConsentSignals(StrEnum):
    IGNORE = "ignore"
    DENY_ONLY = "deny_only"
    ACCEPT = "accept"


# ── verdicts and reasons ───────────────────────────────────────────────────────────────────────────────────────────────────────


class Verdict(StrEnum):
    """What became of one item. received = stored + duplicate + quarantined + refused, per source, always."""

    STORED = "stored"
    DUPLICATE = "duplicate"
    QUARANTINED = "quarantined"
    REFUSED = "refused"


class Reason(StrEnum):
    """Why an item was refused because of the person or the law; its payload is dropped in memory (law_rules L-2)."""

    CONSENT_MISSING = "consent_missing"
    CONSENT_WITHDRAWN = "consent_withdrawn"
    CONSENT_NOT_YET = "consent_not_yet"
    CONSENT_EXPIRED = "consent_expired"
    PURPOSE_UNKNOWN = "purpose_unknown"
    PURPOSE_NOT_DECLARED = "purpose_not_declared"
    OBJECTED = "objected"
    RESTRICTED = "restricted"
    ERASED = "erased"
    MINOR = "minor"
    CHILD_FIELD = "child_field"
    FORBIDDEN_CATEGORY = "forbidden_category"
    SENSITIVE_WITHOUT_CONSENT = "sensitive_without_consent"
    TEXT_LOW_CONFIDENCE = "text_low_confidence"
    PERSON_MISSING = "person_missing"
    NOTHING_TO_STORE = "nothing_to_store"
    NO_PRIVACY_AGREEMENT = "no_privacy_agreement"
    PAST_WINDOW = "past_window"


class FormRule(StrEnum):
    """Rules of form; only items that break one of these may be kept, sealed, for seven days."""

    NOT_AN_OBJECT = "not_an_object"
    MISSING = "missing"
    WRONG_TYPE = "wrong_type"
    OUT_OF_RANGE = "out_of_range"
    TOO_LONG = "too_long"
    NOT_ALLOWED = "not_allowed"
    BAD_PATTERN = "bad_pattern"
    BAD_TIME = "bad_time"
    ZONE_MISSING = "zone_missing"
    TIME_FUTURE = "time_future"
    TIME_TOO_OLD = "time_too_old"
    BAD_IDENTIFIER = "bad_identifier"
    BAD_TEXT = "bad_text"
    DUPLICATE_KEY = "duplicate_key"
    UNKNOWN_TYPE = "unknown_type"
    TOO_LARGE = "too_large"
    TOO_DEEP = "too_deep"
    AWAITING_CONSENT = "awaiting_consent"


# ── consent ────────────────────────────────────────────────────────────────────────────────────────────────────────────────────


class ConsentState(StrEnum):
    GRANTED = "granted"
    WITHDRAWN = "withdrawn"
    DENIED = "denied"


class ConsentKind(StrEnum):
    """`explicit` is an act of the person; `asserted` is a source's word, whose grant never lifts a withdrawal."""

    EXPLICIT = "explicit"
    ASSERTED = "asserted"


# ── requests of people about their data (PIPL 44–50, GDPR 15–22) ───────────────────────────────────────────────────────────────


class Right(StrEnum):
    """What somebody may ask for."""

    ACCESS = "access"
    COPY = "copy"
    PORTABILITY = "portability"
    CORRECTION = "correction"
    DELETION = "deletion"
    RESTRICTION = "restriction"
    OBJECTION = "objection"
    WITHDRAWAL = "withdrawal"
    EXPLANATION = "explanation"


class Regime(StrEnum):
    """Under which law's clock a request runs."""

    PIPL = "pipl"
    GDPR = "gdpr"


class Step(StrEnum):
    """Where a request stands, in this order."""

    RECEIVED = "received"
    IDENTITY = "identity"
    COLLECT = "collect"
    REVIEW = "review"
    DECIDE = "decide"
    DELIVER = "deliver"
    CLOSED = "closed"


class Flag(StrEnum):
    """What stands against the use of a person's data until it is lifted: nothing but keeping; no automated decision."""

    RESTRICTED = "restricted"
    OBJECTED = "objected"


# ── the access log's coarse words (law_rules E-6: at most twelve, they are public to a witness) ────────────────────────────────


class LogKind(StrEnum):
    INGEST = "ingest"
    CONSENT = "consent"
    READ = "read"
    RELEASE = "release"
    REFUSAL = "refusal"
    KEY = "key"
    CONFIG = "config"
    ACCOUNT = "account"
    EXPORT = "export"
    RIGHTS = "rights"
    ERASURE = "erasure"
    SYSTEM = "system"
