"""The desk of impact assessments: drafted by one officer, approved by another, needed before processing of Article 55 begins.

Promise: an approval is of the very version that stood there, by somebody who wrote nothing of it; whoever changes the paper afterwards makes it a
draft again, and what rested on it is no more covered.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from privacy.accountability import assessments, dossiers
from privacy.accountability.assessments import Processing
from privacy.accountability.dossiers import Dossier
from privacy.accountability.fields import shaped
from privacy.errors import Conflict, Invalid
from privacy.oversight.papers import Also, Papers, nothing_more


class Assessments(Papers):
    """Impact assessments."""

    kind = "assessment"

    def add(self, given: Mapping[str, Any], *, actor: str, also: Also = nothing_more) -> dict[str, Any]:
        """A draft."""
        content = shaped(assessments.FIELDS, given) | {"state": assessments.DRAFT, "approved_by": "", "approved_at": None}
        self._check_review(content)
        with self._begin() as tx:
            made = self._new(tx, content, actor=actor, kinds=content["kinds"])
            also(tx, self._told(made))
        return self._told(made)

    def change(self, id_: str, given: Mapping[str, Any], *, seen: int | None, actor: str) -> dict[str, Any]:
        """Changes what is given; it is a draft again."""
        with self._begin() as tx:
            before = dossiers.one(tx, self.kind, id_).content
            content = shaped(assessments.FIELDS, given, before)
            self._check_review(content)
            content |= {"state": assessments.DRAFT, "approved_by": "", "approved_at": None}
            return self._told(self._next(tx, id_, content, seen=seen, actor=actor))

    def approve(self, id_: str, *, seen: int | None, actor: str) -> dict[str, Any]:
        """Another officer's yes to the version that was seen."""
        with self._begin() as tx:
            versions = dossiers.history(tx, self.kind, id_)
            assessments.check_approval([one.content for one in versions], writers(versions), actor)
            content = {
                **versions[-1].content,
                "state": assessments.APPROVED,
                "approved_by": actor,
                "approved_at": self._clock().isoformat(),
            }
            return self._told(self._next(tx, id_, content, seen=seen, actor=actor, act="approve"))

    def withdraw(self, id_: str, *, seen: int | None, actor: str) -> dict[str, Any]:
        """Takes it out of force."""
        with self._begin() as tx:
            before = dossiers.one(tx, self.kind, id_).content
            if before["state"] == assessments.WITHDRAWN:
                raise Conflict("it is withdrawn already", code="assessment_withdrawn")
            content = {**before, "state": assessments.WITHDRAWN}
            return self._told(self._next(tx, id_, content, seen=seen, actor=actor, act="withdraw"))

    def missing(self, name: str, purposes: tuple[str, ...] = (), categories: tuple[str, ...] = ()) -> tuple[str, ...]:
        """The kinds of assessment that a processing of our own lacks."""
        with self._read() as tx:
            known = [one.content for one in dossiers.listing(tx, self.kind)]
        return assessments.missing(Processing(name, purposes, categories), known, self.today())

    def check_sensitive(self, purposes: tuple[str, ...]) -> None:
        """Raises Refused (`assessment_missing`) where somebody means to collect what is sensitive and nobody has assessed it."""
        sensitive = [purpose for purpose in purposes if purpose.startswith(assessments.SENSITIVE_PURPOSES)]
        if not sensitive:
            return
        with self._read() as tx:
            known = [one.content for one in dossiers.listing(tx, self.kind)]
        for purpose in sensitive:
            assessments.check_covered(Processing(f"purpose:{purpose}", (purpose,)), known, self.today())

    def _check_review(self, content: Mapping[str, Any]) -> None:
        if content["review_by"] <= self.today().isoformat():
            raise Invalid("a review lies ahead", code="dossier_invalid", field="review_by")

    def _told(self, one: Dossier) -> dict[str, Any]:
        return one.document() | {"standing": assessments.state(one.content, self.today())}


def writers(versions: list[Dossier]) -> frozenset[str]:
    """Who wrote a draft of it since it was last approved."""
    since = max((place for place, one in enumerate(versions) if one.content["state"] == assessments.APPROVED), default=-1)
    return frozenset(one.by for one in versions[since + 1 :])
