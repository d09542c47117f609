"""What the law and the papers say about giving a list to a recipient: asked when it is requested, approved, released and taken.

Promise: an agreement in force covers the purpose and every column, approved assessments cover the processing, a recipient abroad rests on a
mechanism, and a key is registered to seal for; what is missing is a refusal with its code. A segment that was made for one purpose leaves for
no other (attack 50). It must never learn a person.
"""

from __future__ import annotations

import base64
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

import sqlalchemy as sa

from privacy.accountability import assessments, dossiers, processing_agreements, recipients
from privacy.accountability.assessments import Processing
from privacy.errors import Invalid, Refused
from privacy.export.people import Needs
from privacy.identity.forms import book
from privacy.identity.forms.shape import Form
from privacy.records import Audience
from privacy.vocabulary import ANALYTIC_PURPOSES

PSEUDONYMOUS: Final = "pseudonymous"
"""The form of a partner's table; every other form is a family of the book."""
ADDRESSES: Final = frozenset({"phone", "email", "openid", "unionid"})
"""Identifiers that may leave in a recipient's form. National IDs, cards, cookies and devices never do."""
CHANNELS: Final = frozenset({"", "sms", "email", "push", "wechat", "phone"})
PRICING: Final = frozenset({"pricing", "terms"})
DIRECT: Final = "direct_identifier"
"""The class of every address."""


@dataclass(frozen=True, slots=True)
class Terms:
    """Under which terms a list goes to a recipient."""

    key: str
    content: Mapping[str, Any]
    needs: Needs
    abroad: bool
    mechanism: str
    form: Form | None
    public_key: bytes


def check_audience(audience: Audience, *, purpose: str, use: str) -> None:
    """Raises Refused where an export names another purpose or use than the segment has."""
    if purpose != audience.purpose or purpose not in ANALYTIC_PURPOSES:
        raise Refused("a segment leaves for the purpose that it was made for", code="purpose_not_of_segment", field="purpose")
    if use != audience.use:
        raise Refused("a segment leaves for the use that it was made for", code="use_not_of_segment", field="use")
    if use in PRICING:
        raise Refused("a list of people is no ground for a price", code="pricing_use", field="use")


def check_fields(form: str, fields: Sequence[str], columns: Collection[str]) -> None:
    """Raises Invalid for a column that the form has no use for or that never leaves; `columns` are those of a partner's table."""
    if not fields or len(set(fields)) != len(fields):
        raise Invalid("an export names its columns, each once", code="export_fields", field="fields")
    known = columns if form == PSEUDONYMOUS else ADDRESSES & book.form(form).sources
    if not set(fields) <= set(known) - (ADDRESSES if form == PSEUDONYMOUS else set()):
        raise Invalid("the form has no use for this column", code="export_fields", field="fields")


def offers(content: Mapping[str, Any], columns: Mapping[str, str], *, purpose: str, abroad: bool) -> dict[str, Any]:
    """What may be asked for a recipient by its register entry: channels, and forms with their columns and each column's class.

    A help for whoever fills in a request, and no more: what the papers say on the day is asked by `terms`.
    """
    agreed = set(content["categories"])
    forms = {family: sorted(ADDRESSES & form.sources & agreed) for family, form in book.FORMS.items() if abroad or not form.abroad}
    forms[PSEUDONYMOUS] = sorted(set(columns) & agreed)
    channels = [channel for channel in sorted(CHANNELS) if (f"marketing.channel.{channel}" if channel else purpose) in content["purposes"]]
    named = {name: columns.get(name, DIRECT) for fields in forms.values() for name in fields}
    return {"channels": channels, "forms": {name: fields for name, fields in forms.items() if fields}, "classes": named}


def terms(
    tx: sa.Connection, recipient: str, *, audience_purpose: str, channel: str, form: str, fields: Sequence[str],
    inferred: frozenset[str], jurisdiction: str, today: date,
) -> Terms:  # fmt: skip
    """The terms, or why there are none."""
    content = dossiers.one(tx, "recipient", recipient).content
    if content["status"] != recipients.ACTIVE:
        raise Refused("the recipient is not active", code="recipient_not_active", field="recipient")
    recipients.check_purpose(list(content["purposes"]), content["foreign_approval"])
    wanted = f"marketing.channel.{channel}" if channel else audience_purpose
    if wanted not in content["purposes"]:
        raise Refused("the recipient is not registered for this purpose", code="recipient_purpose", field="purpose")
    if not set(fields) <= set(content["categories"]):
        raise Invalid("a column outside what was agreed needs a new agreement and consent", code="column_not_agreed", field="fields")
    agreed = [one.content for one in dossiers.listing(tx, "agreement") if one.content["recipient"] == recipient]
    verdict = processing_agreements.any_in_force(agreed, today, wanted, fields)
    if not verdict.holds:
        raise Refused("no agreement in force covers this export", code=verdict.code, field="recipient")
    sensitive = tuple(f"sensitive.{one}" for one in sorted(inferred))
    abroad = recipients.is_abroad(content["country"], jurisdiction)
    processing = Processing(
        f"recipient:{content['key']}", (*content["purposes"], *sensitive), content["categories"], recipient=content["kind"], abroad=abroad
    )
    assessments.check_covered(processing, [one.content for one in dossiers.listing(tx, "assessment")], today)
    family = None if form == PSEUDONYMOUS else book.form(form)
    _check_abroad(content, family, abroad=abroad)
    since = content.get("consent_since")
    needs = Needs(
        audience_purpose,
        recipients.share_purpose(content),
        since=None if since is None else datetime.fromisoformat(since),
        abroad=f"crossborder.{content['country'].lower()}" if abroad else "",
        sensitive=sensitive,
        channel=f"marketing.channel.{channel}" if channel else "",
    )
    return Terms(content["key"], content, needs, abroad, content["mechanism"], family, _key(content))


def _check_abroad(content: Mapping[str, Any], family: Form | None, *, abroad: bool) -> None:
    """Abroad is denied by default; and a form of a platform abroad goes to no recipient at home (law_rules L-11)."""
    if abroad and content["mechanism"] in ("", "none"):
        raise Refused("a recipient abroad needs a mechanism of PIPL 38", code="mechanism_missing", field="recipient")
    if family is not None and family.abroad and not abroad:
        raise Refused("this form belongs to a recipient abroad", code="form_abroad", field="form")


def _key(content: Mapping[str, Any]) -> bytes:
    if content.get("sealing_algorithm") != "x25519":
        raise Refused("lists leave sealed: the recipient has no X25519 key registered", code="recipient_key_missing", field="recipient")
    return base64.b64decode(content["sealing_key"])
