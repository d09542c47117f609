"""What was published and what it cost, as pages show it: the register of releases, the ledger, the gauge, and what a question would cost.

Promise: questions, prices, times and released numbers; nothing exact. What a reader may choose is public before it is paid: kinds,
months, groupings, filters and a short list of prices with their margins.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from app import access, asking, cubes
from privacy.errors import BudgetExhausted, NotFound

if TYPE_CHECKING:
    from app.wiring import Services

PAGE = 50
USUAL = "store_month"
"""The kind that the gauge counts in: "about so many reports like this one"."""

NANO = 1_000_000_000


def kinds(services: Services) -> list[dict[str, Any]]:
    """What may be asked."""
    return services.report_kinds()


def kind(services: Services, name: str) -> dict[str, Any]:
    """One kind of report; raises NotFound."""
    found = next((one for one in kinds(services) if one["kind"] == name.replace("-", "_")), None)
    if found is None:
        raise NotFound("there is no such report", code="unknown_report", field="kind")
    return found


def form(services: Services, name: str) -> dict[str, Any]:
    """One kind with what its filters may be set to; raises NotFound."""
    found = kind(services, name)
    return found | {"filters": services.report_values(found["kind"])}


def months(services: Services) -> list[int]:
    """The months that a question may name, the newest first."""
    return list(reversed(services.releases.closed_months()))


# ── what is stored ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def releases(services: Services, applied: Mapping[str, str], *, me: str, after: str = "", limit: int = PAGE) -> dict[str, Any]:
    """Stored releases that match: rows, how many match, and the cursor of the next page."""
    wanted = {
        "kind": applied.get("kind", ""),
        "month": int(applied.get("month", 0)),
        "asked_by": me if applied.get("mine") else "",
        "text": applied.get("q", ""),
    }
    found, total = services.published(**wanted, after=after, limit=limit + 1)
    names = _names(services)
    rows = [one | {"asked_by": names.get(one["asked_by"], one["asked_by"])} for one in found[:limit]]
    return {"rows": rows, "total": total, "next": rows[-1]["id"] if len(found) > limit else None}


def release(services: Services, release_id: str) -> dict[str, Any]:
    """A stored release: its document, its register entry and what it cost when it was drawn."""
    document = asking.show_release(services, release_id)
    entry = services.published_one(release_id)
    paid = services.releases.cost(entry["rho_nano"])
    return {
        "document": document,
        "entry": entry | {"asked_by": _names(services).get(entry["asked_by"], entry["asked_by"])},
        "paid": {"rho_nano": paid.rho_nano, "epsilon": paid.epsilon, "delta": paid.delta},
    }


def _names(services: Services) -> dict[str, str]:
    """The addresses of staff by account; whoever else asked (a schedule, a command) has its own word."""
    with services.read_console() as tx:
        return {str(one["user"]): str(one["email"]) for one in access.accounts(tx)}


# ── what is left ───────────────────────────────────────────────────────────────────────────────────────────────────────────────


def gauge(services: Services) -> dict[str, Any]:
    """Every month's account, the newest first, in reports of the usual kind; and what the caps mean."""
    usual = next((one["price"] for one in kinds(services) if one["kind"] == USUAL), 0) or 1
    known = asking.budget(services)
    items = [one | {"reports_left": one["left_nano"] // usual, "reports_cap": one["cap_nano"] // usual} for one in known["items"]]
    return known | {"items": list(reversed(items)), "usual": USUAL, "usual_price": usual}


def ledger(services: Services, applied: Mapping[str, str], *, before: int = 0, limit: int = PAGE) -> dict[str, Any]:
    """Charges that match, newest first: rows, how many match, and the cursor of the next page."""
    found, total = services.charges(month=int(applied.get("month", 0)), before=before, limit=limit + 1)
    names = _names(services)
    rows = [one | {"asked_by": names.get(one["asked_by"], one["asked_by"])} for one in found[:limit]]
    return {"rows": rows, "total": total, "next": str(rows[-1]["seq"]) if len(found) > limit else None}


def spending(services: Services, month: int) -> list[dict[str, Any]]:
    """A month's charges in their order, for its burn-down."""
    found, _ = services.charges(month=month, limit=10_000)
    return list(reversed(found))


# ── what it would cost ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def offers(services: Services, body: Mapping[str, Any], prices: Sequence[int], *, asked_by: str = "") -> list[dict[str, Any]]:
    """One quote for each price of the kind, the cheapest first, each with how much of its tightest month it would take: of what the month
    has left, or of what the asker's team may still spend of it, where that is less (`of_team`)."""
    found = []
    for price in prices:
        quoted = asking.quote(services, {**body, "price": price}, asked_by=asked_by)
        month, team = min(quoted["left"].values(), default=0), min(quoted["team_left"].values(), default=None)
        of_team = team is not None and team < month
        tightest = team if of_team else month
        share = price / tightest if tightest else None
        found.append(quoted | {"price": price, "share_of_left": share, "tightest": tightest, "of_team": of_team})
    return found


def for_margin(found: Sequence[dict[str, Any]], measure: str, wanted: float) -> dict[str, Any] | None:
    """The cheapest offer whose margin is at most what somebody needs; None where even the dearest is wider."""
    return next((one for one in found if one["margins"][measure] <= wanted), None)


def held_free(services: Services, body: Mapping[str, Any]) -> dict[str, Any] | None:
    """The answer that the months' cubes hold already, whatever price the question names; None where it has to be bought."""
    asked = asking.options({name: said for name, said in body.items() if name != "price"})
    held: dict[str, Any] | None = services.held_free(asked["kind"], services.report_options(asked))
    return held


def order(services: Services, body: Mapping[str, Any], *, asked_by: str) -> dict[str, Any]:
    """Asks: a stored answer is repeated at once and free, any other becomes a job. Raises BudgetExhausted before anything is queued."""
    quoted = asking.quote(services, body, asked_by=asked_by)
    if quoted["release"]:
        return {"release": asking.ask(services, body, asked_by=asked_by)["release"]}
    if quoted["free"]:
        return {"free": quoted["free"]}
    if not quoted["affordable"]:
        raise BudgetExhausted("the question costs more than these months, or the asker's team, have left", field="price")
    return asking.ask_later(services, body, asked_by=asked_by)


# ── what is free ───────────────────────────────────────────────────────────────────────────────────────────────────────────────

MONTHS_SHOWN = 12


def free(services: Services) -> dict[str, Any]:
    """What the closed months' plans have bought already: the facts of the year, and which tables may be had for nothing; empty before a close."""
    held = cubes.catalogue(services)
    if not held["months"]:
        return {"facts": [], "tables": [], "months": [], "measures": []}
    tables = sorted({(one["measure"], tuple(one["by"])) for one in held["items"]})
    return {"facts": cubes.facts(services)["rows"], "tables": tables, "months": held["months"]}


def free_table(services: Services, measure: str, by: Sequence[str], first: int, last: int, where: Sequence[str] = ()) -> dict[str, Any]:
    """One table out of stored releases, as a document that figures can be made of. Raises Invalid where the plan holds no such table."""
    found = cubes.table(services, measure, by, _written(first), _written(last), where=where)
    question = {"by": list(by), "where": found["where"], "measures": [{"name": measure, "unit": 1}], "clip": 0}
    return found | {"question": question, "months": [month for month in found["months"] if first <= month <= last]}


def _written(month: int) -> str:
    return f"{month // 100:04d}-{month % 100:02d}"


def bought(services: Services) -> list[int]:
    """The closed months whose plan was bought, oldest first."""
    found: list[int] = cubes.catalogue(services)["months"]
    return found
