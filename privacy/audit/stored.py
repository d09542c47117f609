"""The verification of a log where it is stored: what the offline verifier checks, and that every stored copy agrees with it.

Promise: stored subtrees, the stored head and the columns by which entries are found are compared with what the entries themselves say;
nothing stored is believed. The arithmetic is that of the one file for outsiders, `privacy.audit.verify`. It repeats no payload.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from privacy.audit.verify import Claim, Walk, claims_of, leaf_hash


class _Stored(Walk):
    """The walk beside the stored subtrees and head."""

    def __init__(self, claims: list[Claim], nodes: Iterator[tuple[int, int, bytes]] | None, head: tuple[int, bytes] | None) -> None:
        self._nodes = nodes
        self._head = head
        super().__init__(claims)

    def problem(self, entry: Mapping[str, Any], index: int) -> str | None:
        if self._head is not None and index >= self._head[0]:
            return "head_size"
        found = super().problem(entry, index)
        if found != "form" and entry.get("leaf") is not None and entry["leaf"] != leaf_hash(entry).hex():
            return "leaf"
        return found or ("search_columns" if _is_misfiled(entry) else None)

    def grown(self, level: int, position: int, digest: bytes) -> None:
        if self._nodes is not None and self.first_bad is None and next(self._nodes, None) != (level, position, digest):
            self.bad(position << level, "node")

    def end(self) -> None:
        super().end()
        if self.first_bad is not None:
            return
        if self._head is not None and self._head[0] > self.size:
            self.bad(self.size, "truncated")
        elif self._head is not None and self._head[1] != self.root():
            self.bad(self.confirmed, "head_root")
        elif self._nodes is not None and next(self._nodes, None) is not None:
            self.bad(self.size, "node")


def verify(
    entries: Iterable[Mapping[str, Any]],
    checkpoints: Iterable[str] = (),
    *,
    keys: Sequence[str] = (),
    nodes: Iterable[tuple[int, int, bytes]] | None = None,
    head: tuple[int, bytes] | None = None,
) -> dict[str, Any]:
    """Check a whole log: {"ok", "size", "root", "first_bad", "reason", "checkpoints", "signed_size"}.

    `entries` in order, each {"seq", "ts", "kind", "c"}, {"salt", "payload"} or {"erased"}, {"leaf"} as stored and {"found_by"}: [actor,
    action, subject, purpose, result] as the store searches them; `nodes` are stored subtrees (level, position, hash) in the order in which
    they became complete; `head` is the stored (size, root). Without `keys` signatures are not looked at.
    """
    walk = _Stored(claims_of(checkpoints, keys), None if nodes is None else iter(nodes), head)
    for entry in entries:
        walk.take(entry)
    walk.end()
    return walk.verdict() | ({} if keys else {"signed_size": 0})


def _is_misfiled(entry: Mapping[str, Any]) -> bool:
    """Whether the columns by which the store finds the entry say something else than its payload."""
    if entry.get("found_by") is None or entry.get("payload") is None:
        return False
    try:
        said = json.loads(entry["payload"])
        facts = said["facts"]
        return bool(entry["found_by"] != [said["actor"], said["action"], facts.get("subject"), facts.get("purpose"), said["result"]])
    except (KeyError, TypeError, ValueError, AttributeError):
        return True
