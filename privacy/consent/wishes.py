"""What a valid act of consent looks like: one wish of a person as it was sent, checked against the register.

Promise: pure. A bundled or pre-ticked grant, one for an unregistered purpose or under an unknown notice, is no consent (PIPL 14, 23, 29, 39);
a no is always accepted, however it was collected. Codes name the rule; nothing here repeats a value. It must never learn who the person is.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from privacy.consent.registry import Purpose
from privacy.errors import Invalid, PiyingError, Refused
from privacy.vocabulary import ConsentState

COLLECTIONS = frozenset({"api", "form", "paper", "phone", "app", "mini_program", "file", "public_page", "console"})
_WITHOUT_SCREEN = frozenset({"paper", "phone"})
"""Where no box can be ticked beforehand, its state need not be told."""
_FIELDS = frozenset(
    {
        *("identifier", "purpose", "state", "at", "notice", "separate_for", "default_state", "collection", "language", "valid_until"),
        *("artefact", "guardian"),
    }
)
RELATIONS = frozenset({"mother", "father", "guardian"})
"""Who decides for a child under fourteen (PIPL 31)."""


_ARTEFACT = re.compile(r"[0-9a-f]{64}")
_LANGUAGE = re.compile(r"[a-z]{2}(-[A-Za-z]{2,8})?")


@dataclass(frozen=True, slots=True)
class Wish:
    """One act: the identifier stays beside it in the door and is not part of it."""

    purpose: str
    state: str
    at: datetime | None
    valid_until: datetime | None
    notice: str | None
    evidence: Mapping[str, str]


def check(item: Mapping[str, Any], registered: Mapping[str, Purpose], notices: Mapping[str, str]) -> Wish | PiyingError:
    """The wish of one item, or why it is none. The error is returned, since one bad item must not stop another's withdrawal."""
    if not item.keys() <= _FIELDS:
        return Invalid("this item has a field that nobody knows", code="unknown_field")
    state = item.get("state")
    if not isinstance(state, str) or state not in {one.value for one in ConsentState}:
        return Invalid("a state is granted, withdrawn or denied", code="consent_state_unknown", field="state")
    key = item.get("purpose")
    purpose = registered.get(key) if isinstance(key, str) else None
    if purpose is None:
        return Refused("this purpose is not registered", code="purpose_unknown", field="purpose")
    instants = (item.get("at"), item.get("valid_until"))
    if any(one is not None and (not isinstance(one, datetime) or one.tzinfo is None) for one in instants):
        return Invalid("an instant needs a zone", code="zone_missing", field="at")
    collection = item.get("collection") or "api"
    if wrong := _wrong_word(item, collection):
        return wrong
    wrong = _wrong_grant(item, purpose, notices, collection) if state == ConsentState.GRANTED else None
    if wrong is not None:
        return wrong
    artefact, language, guardian = (item.get(name) for name in ("artefact", "language", "guardian"))
    evidence = {"collection": collection, "form": "written" if artefact else "separate" if purpose.separate else "general"}
    if artefact is not None:
        evidence["artefact"] = artefact
    if item.get("default_state") in ("checked", "unchecked"):
        evidence["default_state"] = item["default_state"]
    if language is not None:
        evidence["language"] = language
    if guardian is not None:
        evidence["guardian"] = guardian["relation"]
    return Wish(purpose.key, state, *instants, notices.get(str(item.get("notice"))), evidence)


def _wrong_word(item: Mapping[str, Any], collection: str) -> PiyingError | None:
    """What is wrong with how an act was collected, in which language, on which paper, by which guardian."""
    if collection not in COLLECTIONS:
        return Invalid("this way of collecting is not known", code="collection_unknown", field="collection")
    language, artefact, guardian = (item.get(name) for name in ("language", "artefact", "guardian"))
    if language is not None and not (isinstance(language, str) and _LANGUAGE.fullmatch(language)):
        return Invalid("a language is written as in a notice: en, zh, zh-Hans", code="language_unknown", field="language")
    if artefact is not None and not (isinstance(artefact, str) and _ARTEFACT.fullmatch(artefact)):
        return Invalid("an artefact is named by its SHA-256, hexadecimal", code="artefact_invalid", field="artefact")
    if guardian is not None and not (isinstance(guardian, Mapping) and guardian.get("relation") in RELATIONS):
        return Invalid("a guardian is a mother, a father or a guardian, named by one identifier", code="guardian_invalid", field="guardian")
    return None


def _wrong_grant(item: Mapping[str, Any], purpose: Purpose, notices: Mapping[str, str], collection: str) -> PiyingError | None:
    subjects, default = list(item.get("separate_for") or ()), item.get("default_state")
    if default == "checked":
        return Invalid("a box that was ticked beforehand is no consent", code="consent_preticked", field="default_state")
    if len(set(subjects)) > 1:
        return Invalid("one act of separate consent has one subject matter", code="consent_bundled", field="separate_for")
    if purpose.separate:
        if subjects and subjects[0] not in (purpose.key, purpose.key.partition(".")[2]):
            return Invalid("the subject matter is not the purpose's own", code="separate_mismatch", field="separate_for")
        if default != "unchecked" and collection not in _WITHOUT_SCREEN:
            return Invalid("separate consent tells how its box stood", code="default_state_missing", field="default_state")
    elif subjects:
        return Invalid("this purpose is not one of separate consent", code="separate_mismatch", field="separate_for")
    if purpose.written and not item.get("artefact"):
        return Invalid("this purpose needs a signed paper, named by its SHA-256", code="written_form_missing", field="artefact")
    if item.get("notice") is not None and str(item["notice"]) not in notices:
        return Invalid("no notice has this hash or version", code="notice_unknown", field="notice")
    return None
