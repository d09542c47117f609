"""The acts on a request by name, for routes, commands and forms that send one: a closed list, each one call.

Promise: an act that is not of the list is refused; nothing here decides. Learns codes, and a value that is to be corrected, which it hands on.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from app import requests
from privacy.errors import Invalid

if TYPE_CHECKING:
    from app.wiring import Services

_Act = Callable[["Services", str, Mapping[str, Any], str], dict[str, Any]]

ACTS: Mapping[str, _Act] = {
    "assign": lambda to, no, said, who: requests.assign(to, no, said.get("account") or None, actor=who),
    "ask_identity": lambda to, no, said, who: requests.ask_identity(to, no, actor=who),
    "check_identity": lambda to, no, said, who: requests.check_identity(
        to, no, method=said.get("method", ""), passed=bool(said.get("passed")), actor=who
    ),
    "check_kin": lambda to, no, said, who: requests.check_kin(to, no, said.get("kin") or {}, actor=who),
    "gather": lambda to, no, said, who: requests.gather(to, no, actor=who),
    "redact": lambda to, no, said, who: requests.redact(to, no, said.get("parts") or [], said.get("ground", ""), actor=who),
    "reviewed": lambda to, no, said, who: requests.reviewed(to, no, actor=who),
    "decide": lambda to, no, said, who: requests.decide(
        to, no, outcome=said.get("outcome", ""), reason=said.get("reason", ""), words=said.get("words", ""), actor=who
    ),
    "approve": lambda to, no, said, who: requests.approve(to, no, actor=who),
    "send_back": lambda to, no, said, who: requests.send_back(to, no, said.get("words", ""), actor=who),
    "lengthen": lambda to, no, said, who: requests.lengthen(to, no, said.get("reason", ""), actor=who),
    "comment": lambda to, no, said, who: requests.comment(to, no, said.get("words", ""), actor=who),
    "correct": lambda to, no, said, who: requests.correct(to, no, said, actor=who),
    "deliver": lambda to, no, said, who: requests.deliver(to, no, actor=who, clear=bool(said.get("clear"))),
    "close": lambda to, no, said, who: requests.close(to, no, said.get("reason", ""), said.get("words", ""), actor=who),
}
FRESH = frozenset({"approve", "correct", "deliver"})
"""Acts for which a page asks for the password again."""


def act(services: Services, number: str, said: Mapping[str, Any], *, actor: str) -> dict[str, Any]:
    """Does one act."""
    doing = ACTS.get(str(said.get("act", "")))
    if doing is None:
        raise Invalid("there is no such act on a request", code="act_unknown", field="act")
    return doing(services, number, said, actor)
