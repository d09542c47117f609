"""The access log: entries appended a second, one a transaction and many; the verification of a whole log, its bundle, and the bundle's check.

`BENCH_ENTRIES` sets how many entries the verified log has (default 1,000,000), as a house has them: a payload with a subject each. Seconds
are of the clock and of the processor; memory is the largest that each step needed in a process of its own.
"""

from __future__ import annotations

import io
import os
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from app.stores import Stores
from privacy.audit import bundle, checkpoint, reading, stored
from privacy.audit.bundle import Scope
from privacy.audit.checkpoint import Signer
from privacy.audit.log import AuditLog, Entry, head
from privacy.audit.verify import verify_bundle
from privacy.orm import PlatformBase
from tests.stores import sqlite_stores

NOW = datetime(2026, 6, 15, 4, 30, tzinfo=UTC)
TOGETHER = 1_000
SINGLE = 2_000
KEY = Ed25519PrivateKey.from_private_bytes(bytes(32))
SIGNER = Signer("piying.example/bench", KEY.sign, KEY.public_key().public_bytes_raw())
ANNA = bytes(range(16))


def main() -> None:
    """Prints all of them."""
    entries = int(os.environ.get("BENCH_ENTRIES", "1000000"))
    with tempfile.TemporaryDirectory() as folder, sqlite_stores(Path(folder)) as stores:
        with stores.begin_platform() as tx:
            PlatformBase.metadata.create_all(tx)
        log = AuditLog(lambda: NOW, os.urandom)
        _appends(stores, log, entries)
        _apart("verify where it is stored", lambda: _verify(stores))
        file = Path(folder) / "bundle.zip"
        _apart("bundle of one person, the rest as commitments", lambda: _bundle(stores, file))
        size = file.stat().st_size
        print(f"   {size:,} bytes, {size / entries:.0f} an entry")
        _apart("check of that bundle, offline", lambda: _check(file))


def _appends(stores: Stores, log: AuditLog, entries: int) -> None:
    one = Entry("read", "person.show", "usr_0123456789abcdef", facts={"subject": ANNA, "purpose": "complaint"})
    other = Entry("ingest", "ingest.batch", "src_0123456789abcdef", facts={"stored": 10_000, "refused": 12, "root": bytes(32)})
    with _timed(f"{SINGLE:,} appends, a transaction each", SINGLE):
        for _ in range(SINGLE):
            with stores.begin_platform() as tx:
                log.append_many(tx, (other,))
    rest = entries - SINGLE
    with _timed(f"{rest:,} appends, {TOGETHER:,} a transaction", rest):
        for at in range(0, rest, TOGETHER):
            batch = [one if number % 50 == 0 else other for number in range(min(TOGETHER, rest - at))]
            with stores.begin_platform() as tx:
                log.append_many(tx, batch)
    with stores.begin_platform() as tx:
        checkpoint.issue(tx, SIGNER, NOW)


def _verify(stores: Stores) -> None:
    with stores.read_platform() as tx, closing(reading.evidence(tx)) as found, closing(reading.nodes(tx)) as nodes:
        told = stored.verify(found, checkpoint.notes(tx), keys=[SIGNER.verifier_key], nodes=nodes, head=head(tx))
    assert told["ok"], told


def _bundle(stores: Stores, file: Path) -> None:
    with stores.read_platform() as tx, file.open("w+b") as out:
        bundle.write(tx, out, bundle.plan(tx, Scope(bundle.SUBJECT, (ANNA.hex(),))), [SIGNER], more={}, language="en")


def _check(file: Path) -> None:
    told = verify_bundle(io.BytesIO(file.read_bytes()) if file.stat().st_size < 1 << 20 else file, keys=[SIGNER.verifier_key])
    assert told["ok"], told


@contextmanager
def _timed(what: str, number: int) -> Iterator[None]:
    started, worked = time.perf_counter(), time.process_time()
    yield
    took, used = time.perf_counter() - started, time.process_time() - worked
    print(f"{what}: {took:.1f} s, {number / took:,.0f} a second ({used:.1f} s of the processor, {number / used:,.0f} a second)", flush=True)


def _apart(what: str, work: Callable[[], None]) -> None:
    """Does it in a child of its own, so that its memory is its own."""
    child = os.fork()
    if child == 0:
        status = 1
        try:
            started, worked = time.perf_counter(), time.process_time()
            before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
            work()
            most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
            took, used = time.perf_counter() - started, time.process_time() - worked
            print(
                f"{what}: {took:.1f} s ({used:.1f} s of the processor), {most / 1024:.0f} MiB at most, {before / 1024:.0f} before",
                flush=True,
            )
            status = 0
        except BaseException as error:  # the child ends here, whatever it was
            print(repr(error), file=sys.stderr, flush=True)
        os._exit(status)
    _, ended = os.waitpid(child, 0)
    if ended:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
