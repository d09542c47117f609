"""A topic behind TLS, over real sockets: read with the right authority, with any other refused, and no account goes over the wire in clear.

The mock broker knows no SASL, so that an account is accepted is not seen here; that the library takes the settings is a unit test's.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from ingestion.cursors import Pause, Step
from ingestion.sources import stream
from privacy.errors import PiyingError
from privacy.records import SourceFacts
from tests.conftest import NOW
from tests.flow.pulling import brokers
from tests.flow.sealing import certify, sealed

pytestmark = pytest.mark.slow
SOURCE = SourceFacts("src_a", "live", "stream", public=False, purposes=frozenset())


def read(address: str) -> list[object]:
    """What the topic holds, until it was read to its end."""
    found: list[object] = []
    for step in stream.read(address, "orders", None, SOURCE, {}, clock=lambda: NOW, rows=10, shape=stream.mapped):
        if step is Pause.CAUGHT_UP:
            return found
        if isinstance(step, Step) and step.raw is not None:
            found += step.raw.items or ()
    return found


def test_a_topic_is_read_over_tls_with_the_authority_that_signed_and_with_no_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream, "ANSWER_SECONDS", 20.0)
    certificate, key = certify(tmp_path)
    (tmp_path / "other").mkdir()
    other, _ = certify(tmp_path / "other")
    with brokers() as made, sealed(made.hosts, certificate, key) as port:
        made.send("orders", [{"order": 1}, {"order": 2}])
        told = read(f"kafka://127.0.0.1:{port}?tls=1&ca={certificate}")
        assert [item["order"] for item in told] == [1, 2]  # type: ignore[index]
        monkeypatch.setattr(stream, "ANSWER_SECONDS", 3.0)
        for wrong in (f"kafka://127.0.0.1:{port}?tls=1&ca={other}", f"kafka://127.0.0.1:{port}?tls=1", f"kafka://127.0.0.1:{port}"):
            with pytest.raises(PiyingError) as caught:
                read(wrong)
            assert caught.value.code == "stream_unavailable"
