"""The desk of recipients and agreements: who may receive data, under what, since when.

Promise: a recipient brings its own purposes along, in the transaction that makes it, and becomes active only with an agreement in force, a
mechanism where it is abroad, and approved assessments; what people were told of it cannot change without asking them again. People who
go abroad are counted under marks that nothing else uses.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from privacy.accountability import assessments, crossborder, dossiers, processing_agreements, recipients, transfers
from privacy.accountability.assessments import Processing
from privacy.accountability.crossborder import Counts, Crossing
from privacy.accountability.dossiers import Dossier
from privacy.accountability.fields import shaped
from privacy.accountability.processing_agreements import Verdict
from privacy.consent import registry
from privacy.errors import Conflict, Invalid, Refused
from privacy.identity import pseudonyms, sealingkeys
from privacy.identity.keys import Keyring
from privacy.oversight.papers import Also, Papers, nothing_more
from privacy.vocabulary import Ground, LogKind


class Recipients(Papers):
    """Recipients, and who of a year went abroad."""

    kind = "recipient"

    def __init__(self, *, keyring: Keyring, **shared: Any) -> None:
        super().__init__(**shared)
        self._keyring = keyring

    # ── recipients ───────────────────────────────────────────────────────────────────────────────────────────────────────────

    def add(self, given: Mapping[str, Any], *, actor: str, also: Also = nothing_more) -> dict[str, Any]:
        """Writes a recipient down, with the purposes that a person has to allow; nothing goes to it yet."""
        content = self._content(shaped(recipients.FIELDS, given)) | {"status": recipients.PROPOSED, "consent_since": None}
        with self._begin() as tx:
            if any(one.content["key"] == content["key"] for one in dossiers.listing(tx, self.kind)):
                raise Conflict("a recipient of this key exists", code="recipient_exists", field="key")
            made = self._new(tx, content, actor=actor, country=content["country"], recipient_kind=content["kind"])
            self._add_purposes(tx, content, actor)
            also(tx, self._told(made))
        return self._told(made)

    def change(self, id_: str, given: Mapping[str, Any], *, seen: int | None, actor: str) -> dict[str, Any]:
        """Changes what is given. A change of what people were told makes it proposed again, and older consents to it stop counting."""
        with self._begin() as tx:
            before = dossiers.one(tx, self.kind, id_).content
            content = dict(before) | self._content(shaped(recipients.FIELDS, given, before))
            material = any(content[name] != before[name] for name in recipients.MATERIAL)
            if material and before["status"] in (recipients.ACTIVE, recipients.SUSPENDED):
                content |= {"status": recipients.PROPOSED, "consent_since": self._clock().isoformat()}
            made = self._next(tx, id_, content, seen=seen, actor=actor, material=int(material))
            self._add_purposes(tx, content, actor)
        return self._told(made)

    def set_status(self, id_: str, status: str, *, seen: int | None, actor: str) -> dict[str, Any]:
        """Makes a recipient active, suspends or ends it. What is missing for `active` is a refusal with its code."""
        if status not in recipients.STATUSES:
            raise Invalid("a status is one of: " + ", ".join(recipients.STATUSES), code="dossier_invalid", field="status")
        with self._begin() as tx:
            before = dossiers.one(tx, self.kind, id_)
            recipients.check_step(before.content["status"], status)
            if status == recipients.ACTIVE:
                self._check_ready(tx, before)
            made = self._next(tx, id_, {**before.content, "status": status}, seen=seen, actor=actor, act="status", status=status)
        return self._told(made)

    def standing(self) -> list[dict[str, Any]]:
        """Every recipient with what is missing for it: the code of its agreement, kinds of assessment, its mechanism."""
        today = self.today()
        with self._read() as tx:
            known = dossiers.listing(tx, self.kind)
            agreed = [one.content for one in dossiers.listing(tx, "agreement")]
            assessed = [one.content for one in dossiers.listing(tx, "assessment")]
        found = []
        for one in known:
            content = one.content
            mine = [agreement for agreement in agreed if agreement["recipient"] == one.id]
            codes = {
                processing_agreements.any_in_force(mine, today, purpose, content["categories"]).code for purpose in content["purposes"]
            }
            abroad = recipients.is_abroad(content["country"], self._jurisdiction)
            found.append(
                self._told(one)
                | {
                    "abroad": abroad,
                    "agreement": next(iter(sorted(codes - {processing_agreements.IN_FORCE})), processing_agreements.IN_FORCE),
                    "assessments_missing": list(assessments.missing(self.processing(content), assessed, today)),
                    "mechanism_missing": abroad and content["mechanism"] in ("", "none"),
                }
            )
        return found

    def processing(self, content: Mapping[str, Any]) -> Processing:
        """What giving data to a recipient is, as Article 55 asks."""
        return Processing(
            f"recipient:{content['key']}",
            tuple(content["purposes"]),
            tuple(content["categories"]),
            recipient=content["kind"],
            abroad=recipients.is_abroad(content["country"], self._jurisdiction),
        )

    def agreed(self, id_: str, purpose: str, categories: Iterable[str]) -> Verdict:
        """Whether an agreement with a recipient covers a purpose and categories today: what an export asks each time."""
        with self._read() as tx:
            mine = [one.content for one in dossiers.listing(tx, "agreement") if one.content["recipient"] == id_]
        return processing_agreements.any_in_force(mine, self.today(), purpose, categories)

    def _check_ready(self, tx: sa.Connection, one: Dossier) -> None:
        """Raises Refused unless data may begin to go there."""
        content, today = one.content, self.today()
        recipients.check_purpose(content["purposes"], content["foreign_approval"])
        mine = [agreement.content for agreement in dossiers.listing(tx, "agreement") if agreement.content["recipient"] == one.id]
        for purpose in content["purposes"]:
            verdict = processing_agreements.any_in_force(mine, today, purpose, content["categories"])
            if not verdict.holds:
                raise Refused("no agreement in force covers this recipient's purposes and categories", code=verdict.code, field="agreement")
        if recipients.is_abroad(content["country"], self._jurisdiction) and content["mechanism"] in ("", "none"):
            raise Refused("a recipient abroad needs a mechanism of PIPL 38", code="mechanism_missing", field="mechanism")
        assessments.check_covered(self.processing(content), [paper.content for paper in dossiers.listing(tx, "assessment")], today)

    def _content(self, content: dict[str, Any]) -> dict[str, Any]:
        if not content["sealing_key"]:
            return content | {"sealing_algorithm": "", "sealing_fingerprint": ""}
        key = sealingkeys.checked(content["sealing_key"])
        return content | {"sealing_key": key.text, "sealing_algorithm": key.algorithm, "sealing_fingerprint": key.fingerprint}

    def _add_purposes(self, tx: sa.Connection, content: Mapping[str, Any], actor: str) -> None:
        known = registry.purpose_keys(tx)
        separate = Ground.SEPARATE_CONSENT.value
        for wanted in recipients.purposes_of(content, self._jurisdiction):
            if wanted.key not in known:
                purpose = registry.Purpose(wanted.key, {"CN": separate, "EU": separate}, separate=True, name=wanted.name)
                registry.add_purpose(tx, purpose, self._clock())
                self._log(tx, LogKind.CONFIG, "purpose.add", actor=actor, facts={"purpose": wanted.key})

    def _told(self, one: Dossier) -> dict[str, Any]:
        needed = [wanted.key for wanted in recipients.purposes_of(one.content, self._jurisdiction)]
        return one.document() | {"consents_needed": needed}

    # ── abroad ───────────────────────────────────────────────────────────────────────────────────────────────────────────────

    def crossing(self, id_: str, people: Sequence[bytes], *, sensitive: bool) -> Crossing:
        """What it would mean for the year's threshold if these people's data went to a recipient; asked before an export, writes nothing."""
        with self._read() as tx:
            content = dossiers.one(tx, self.kind, id_).content
            if not recipients.is_abroad(content["country"], self._jurisdiction):
                return Crossing("within", crossborder.EXEMPT, transfers.counts(tx, self.today().year))
            counted = transfers.after(tx, self.today().year, self.marks(people), sensitive=sensitive)
        return crossborder.crossing(counted, content["mechanism"])

    def note_abroad(self, tx: sa.Connection, people: Sequence[bytes], *, sensitive: bool) -> Counts:
        """Counts these people for the year, in the export's own transaction."""
        return transfers.note(tx, self.today().year, self.marks(people), sensitive=sensitive, now=self._clock())

    def marks(self, people: Sequence[bytes]) -> list[bytes]:
        """What the counter calls people: under a label of its own and a root that never rotates, so that nobody is counted twice."""
        joined = pseudonyms.handles(b"".join(people), self._keyring.block_cipher(pseudonyms.ABROAD))
        return [joined[start : start + pseudonyms.PERSON_BYTES] for start in range(0, len(joined), pseudonyms.PERSON_BYTES)]

    def abroad(self) -> dict[str, Any]:
        """This year's count, the route that it needs, the next threshold and the forecast for 31 December."""
        today = self.today()
        with self._read() as tx:
            years = {year: transfers.counts(tx, year) for year in (today.year, today.year - 1)}
        counts = years[today.year]
        nearest = crossborder.next_threshold(counts)
        return {
            "year": today.year,
            "people": counts.people,
            "sensitive": counts.sensitive,
            "before": years[today.year - 1].people,
            "route": crossborder.route(counts),
            "forecast": crossborder.forecast(counts.people, today),
            "forecast_sensitive": crossborder.forecast(counts.sensitive, today),
            "share": None if nearest is None else nearest[1],
            "law": crossborder.LAW,
            "thresholds": [
                {
                    "route": one.route,
                    "people": one.people,
                    "sensitive": one.sensitive,
                    "share": min(1.0, (counts.sensitive if one.sensitive else counts.people) / one.people),
                }
                for one in crossborder.THRESHOLDS
            ],
        }


class Agreements(Papers):
    """Agreements with recipients."""

    kind = "agreement"

    def add(self, given: Mapping[str, Any], *, actor: str, also: Also = nothing_more) -> dict[str, Any]:
        """Writes an agreement down."""
        content = shaped(processing_agreements.FIELDS, given) | {"ended_on": None, "certificate": None}
        processing_agreements.check_term(content)
        with self._begin() as tx:
            if dossiers.one(tx, "recipient", content["recipient"]).content["status"] == recipients.ENDED:
                raise Conflict("the recipient is ended", code="recipient_ended", field="recipient")
            made = self._new(tx, content, actor=actor, recipient=content["recipient"])
            also(tx, self._told(made))
        return self._told(made)

    def change(self, id_: str, given: Mapping[str, Any], *, seen: int | None, actor: str) -> dict[str, Any]:
        """Changes what is given: a supplement, a longer term, another processor under it."""
        with self._begin() as tx:
            before = dossiers.one(tx, self.kind, id_).content
            if before["certificate"]:
                raise Conflict("a certified agreement is closed", code="agreement_closed")
            content = dict(before) | shaped(processing_agreements.FIELDS, given, before)
            processing_agreements.check_term(content)
            return self._told(self._next(tx, id_, content, seen=seen, actor=actor))

    def end(self, id_: str, *, seen: int | None, actor: str) -> dict[str, Any]:
        """Ends an agreement today, before its term."""
        with self._begin() as tx:
            before = dossiers.one(tx, self.kind, id_).content
            if processing_agreements.state(before, self.today()) not in ("current", "ending", "not_yet"):
                raise Conflict("the agreement is over", code="agreement_over")
            content = {**before, "ended_on": self.today().isoformat()}
            return self._told(self._next(tx, id_, content, seen=seen, actor=actor, act="end"))

    def certify(self, id_: str, given: Mapping[str, Any], *, seen: int | None, actor: str) -> dict[str, Any]:
        """Keeps the recipient's certificate that what it had was returned or deleted (PIPL 21)."""
        certificate = shaped(processing_agreements.CERTIFICATE, given)
        with self._begin() as tx:
            before = dossiers.one(tx, self.kind, id_).content
            processing_agreements.check_certificate(before, self.today())
            content = {**before, "certificate": certificate}
            made = self._next(tx, id_, content, seen=seen, actor=actor, act="certify", outcome=certificate["outcome"])
        return self._told(made)

    def _told(self, one: Dossier) -> dict[str, Any]:
        return one.document() | {"state": processing_agreements.state(one.content, self.today())}
