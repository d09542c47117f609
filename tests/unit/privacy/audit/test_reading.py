"""What was done to one thing, out of the log."""

from __future__ import annotations

import os
from datetime import timedelta

from app.stores import Stores
from privacy.audit import reading
from privacy.audit.log import AuditLog, Entry
from tests.conftest import NOW


def test_acts_on_one_thing_are_those_of_the_prefix_that_name_it_since_then(stores: Stores) -> None:
    log = AuditLog(lambda: NOW, os.urandom)
    mine, other = "imp_0123456789ab", "imp_ba9876543210"
    acts = [("import.queue", mine), ("import.queue", other), ("imports.other", mine), ("import.finish", mine)]
    with stores.begin_platform() as tx:
        log.append_many(tx, [Entry("ingest", action, "system", facts={"import": thing}) for action, thing in acts])
        log.append_many(tx, [Entry("ingest", "import.queue", "system")])
    with stores.read_platform() as tx:
        found = reading.acts(tx, "import.", "import", mine, since=NOW - timedelta(days=1))
        assert [line.action for line in found] == ["import.queue", "import.finish"]
        assert reading.acts(tx, "import.", "import", mine, since=NOW + timedelta(days=3650)) == []
        assert reading.acts(tx, "import_", "import", mine, since=NOW - timedelta(days=1)) == []
