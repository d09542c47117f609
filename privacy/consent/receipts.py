"""What a receipt of consent says: one act of one person about one purpose, as facts that do not change, in one canonical form.

Promise: pure; the same act makes the same bytes. Items follow ISO/IEC TS 27560 and the Kantara consent receipt in our own words. The person
stands in it as a commitment that only its opening tells apart from noise: no identifier, no handle, no pseudonym that two receipts share.
Who of the staff recorded it is not the person's business and not in it.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final

from privacy.orm import from_micros

if TYPE_CHECKING:
    from privacy.consent.listing import Act
    from privacy.consent.registry import Notice, Purpose

SCHEMA: Final = "piying-receipt-1"
SUBJECT_DOMAIN: Final = b"piying-receipt-subject-v1\0"
TYPED: Final = {"share": "recipient", "crossborder": "country", "sensitive": "category"}
"""What the last part of a purpose names, by family."""


@dataclass(frozen=True, slots=True)
class Controller:
    """Who answers for the processing (PIPL 17): what people read in notices."""

    name: str
    contact: str
    jurisdiction: str


def document(
    act: Act, *, number: str, subject: str, purpose: Purpose, article: str, notice: Notice | None, controller: Controller, origin: str
) -> dict[str, Any]:
    """The receipt's statement. What is not known is absent, never empty."""
    family, _, member = purpose.key.partition(".")
    said = {
        "schema": SCHEMA,
        "receipt": number,
        "subject": subject,
        "controller": _told({"name": controller.name, "contact": controller.contact}),
        "jurisdiction": controller.jurisdiction,
        "purpose": _told(
            {
                "key": purpose.key,
                "name": dict(purpose.name),
                "ground": str(purpose.grounds.get(controller.jurisdiction, "")),
                "article": article,
                "separate": purpose.separate,
                TYPED.get(family, ""): member if family in TYPED else "",
            }
        ),
        "decision": _told({"state": act.state, "kind": act.kind, "valid_until": _instant(act.valid_until)}),
        "notice": None if notice is None else {"version": notice.version, "sha256": notice.id, "languages": sorted(notice.texts)},
        "collected": _told({"method": act.method, "source": act.source_id, **_shown(act)}),
        "at": _told({"decided": _instant(act.effective_at), "received": _instant(act.received_at), "claimed": _instant(act.claimed_at)}),
        "log": None if act.entry is None else {"origin": origin, "entry": act.entry},
    }
    return _told(said)


def _shown(act: Act) -> dict[str, str]:
    """What was shown and how it was answered, as the evidence says."""
    return {name: value for name, value in sorted((act.evidence or {}).items()) if name != "collection"}


def _told(facts: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in facts.items() if name and value not in (None, "", {})}


def _instant(micros: int | None) -> str | None:
    return None if micros is None else from_micros(micros).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def canonical(document: Any) -> bytes:
    """Canonical JSON: sorted keys, no blanks. Equal statements have equal bytes."""
    return json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()


def commitment(reference: bytes, salt: bytes) -> str:
    """The person as a receipt names them; `reference` and `salt` together open it."""
    return sha256(SUBJECT_DOMAIN + salt + reference).hexdigest()


def written(jws: str, notice: Notice | None, opening: tuple[bytes, bytes] | None = None) -> str:
    """The receipt as a file: the signed statement, the notice's words that its hash names, and for the person what opens the commitment."""
    parts: dict[str, Any] = {"format": SCHEMA, "jws": jws}
    if notice is not None:
        parts["notice"] = {"version": notice.version, "texts": dict(notice.texts), "purposes": sorted(set(notice.purposes))}
    if opening is not None:
        parts["opening"] = {"reference": opening[0].hex(), "salt": opening[1].hex()}
    return json.dumps(parts, sort_keys=True, indent=1, ensure_ascii=False) + "\n"
