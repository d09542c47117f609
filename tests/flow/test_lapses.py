"""When somebody's last analytic purpose ends, their rows are invisible at once and out of the lake within days (law_rules L-5).

Names `app.lapsing`, `privacy.rights.lapse`, `privacy.consent.lapsed`, `privacy.rights.names`, `analytics.lake.erasure`.
"""

from __future__ import annotations

from datetime import datetime

from app import lapsing
from tests.flow.test_erasure import ANNA, BO, lived_in, rows_in_lake
from tests.house import House

PROFILING, STATISTICS = "marketing.profiling", "analytics.statistics"


def test_who_ends_the_last_purpose_leaves_the_lake_in_time_and_the_officer_sees_it(house: House) -> None:
    key = lived_in(house)
    assert lapsing.run(house.services)["lapsed"] == 0
    house.grant(key, [ANNA], purposes=[PROFILING], state="withdrawn")
    assert lapsing.run(house.services)["lapsed"] == 0, "statistics is still allowed"
    house.clock.forward(seconds=1)
    house.grant(key, [ANNA], purposes=[STATISTICS], state="withdrawn")
    assert house.services.preferences.population(STATISTICS).run_ids.size == 1, "invisible at once"
    assert lapsing.run(house.services)["lapsed"] == 1
    queue = lapsing.queue(house.services, actor="test")
    (waiting,) = queue["items"]
    assert (queue["waiting"], waiting["state"], waiting["erased_at"]) == (1, "pending", None)
    due, noticed = (datetime.fromisoformat(waiting[name]) for name in ("due_at", "noticed_at"))
    assert (due - noticed).days == 7
    house.flush()
    before = rows_in_lake(house)
    house.clock.forward(days=7)
    done = lapsing.run(house.services)
    assert (done["erased"], done["left"]) == (1, 0)
    assert done["rows"] == 3, "two events and a profile"
    assert rows_in_lake(house) == before - 2
    (proof,) = lapsing.queue(house.services, actor="test", state="erased")["items"]
    assert (proof["rows"], proof["entry"] is not None, proof["subject"][:4]) == (3, True, "sub_")
    assert lapsing.run(house.services)["erased"] == 0


def test_who_allows_again_in_time_loses_nothing_and_who_never_allowed_is_not_in_the_queue(sqlite_only: House) -> None:
    house = sqlite_only
    key = lived_in(house, (BO,))
    house.grant(key, [("customer_no", "never")], state="denied")
    house.grant(key, [BO], state="withdrawn")
    assert lapsing.run(house.services)["lapsed"] == 1
    house.clock.forward(days=1)
    house.grant(key, [BO])
    assert lapsing.run(house.services)["back"] == 1
    house.clock.forward(days=30)
    assert lapsing.run(house.services)["erased"] == 0
    house.flush()
    assert rows_in_lake(house) == 2
