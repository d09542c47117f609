"""What cannot be overspent: many processes on one ledger, a kill between charge and answer, on real databases with the real log."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
import sqlalchemy as sa

from app.stores import Stores
from privacy.audit.log import LogEntry
from privacy.dp import ledger
from privacy.errors import Unavailable
from tests.fakes.questions import QUESTION, reader
from tests.flow import budget_caller

ROOT = Path(__file__).parents[2]


def _start(stores: Stores, *arguments: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "tests.flow.budget_caller", *arguments]
    started = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert started.stdin is not None
    started.stdin.write(f"{stores.platform().url}\n")
    started.stdin.flush()
    return started


def _account(stores: Stores) -> ledger.Account:
    with stores.begin_platform() as tx:
        return ledger.accounts(tx)[202605]


def _count(stores: Stores, table: type, *conditions: sa.ColumnElement[bool]) -> int:
    with stores.begin_platform() as tx:
        return int(tx.execute(sa.select(sa.func.count()).select_from(table).where(*conditions)).scalar_one())


def test_eight_processes_with_sixty_four_callers_and_budget_for_ten_give_exactly_ten_answers(stores: Stores) -> None:
    """Attack 5. Every answer has its charge and its entries; the accounts replay from the charges."""
    callers = _start(stores, "race", "8", "8")
    out, problems = callers.communicate(timeout=240)
    assert callers.returncode == 0, problems
    outcomes = out.split()
    assert Counter(outcome.partition(":")[0] for outcome in outcomes) == {"answered": 10, "budget_exhausted": 54}, problems
    assert len({outcome for outcome in outcomes if ":" in outcome}) == 10  # attack 60: forked workers draw different noise
    assert (_account(stores).spent_nano, _account(stores).left_nano) == (50_000_000, 0)
    assert _count(stores, ledger.Charge) == _count(stores, ledger.ReleaseRow, ledger.ReleaseRow.state == ledger.ANSWERED) == 10
    assert _count(stores, LogEntry, LogEntry.kind == "release") == 20
    assert _count(stores, LogEntry, LogEntry.kind == "refusal") == 54


def test_a_kill_between_charge_and_answer_leaves_the_charge_and_asking_again_is_paid_anew(stores: Stores) -> None:
    """Attack 6: SIGKILL while the exact numbers are being read."""
    victim = _start(stores, "hang")
    try:
        assert victim.stdout is not None
        assert victim.stdout.readline().strip() == "reading"
    finally:
        victim.kill()
        victim.communicate(timeout=30)
    assert _account(stores).spent_nano == QUESTION.rho_nano
    with pytest.raises(Unavailable) as raised:
        budget_caller.door(stores.begin_platform).answer(QUESTION, reader(), "cli")
    assert raised.value.code == "answer_pending"
    release = budget_caller.door(stores.begin_platform, lease_seconds=0).answer(QUESTION, reader(), "cli")
    assert not release.cached
    assert _account(stores).spent_nano == 2 * QUESTION.rho_nano
    assert budget_caller.door(stores.begin_platform).answer(QUESTION, reader(), "cli").values == release.values
    assert _account(stores).spent_nano == 2 * QUESTION.rho_nano
