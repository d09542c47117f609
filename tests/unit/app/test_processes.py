"""A process is called gone only if it certainly is."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from app import processes

WAITS = "import sys; from app import processes; print(processes.name(), flush=True); sys.stdin.read()"


@contextmanager
def another() -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A living process and the name that it gave itself."""
    with subprocess.Popen([sys.executable, "-c", WAITS], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield process, process.stdout.readline().strip()
        finally:
            process.kill()


def test_a_process_lives_until_it_is_killed() -> None:
    with another() as (process, name):
        assert not processes.gone(name)
        os.kill(process.pid, signal.SIGKILL)
        _until_dead(process.pid)
        assert processes.gone(name), "killed, and its parent has not heard of it yet"
        process.wait(timeout=10)
        assert processes.gone(name)


def _until_dead(number: int) -> None:
    until = time.monotonic() + 10
    while time.monotonic() < until:
        with open(f"/proc/{number}/stat", encoding="ascii") as stat:
            if stat.read().rpartition(")")[2].split()[0] == "Z":
                return
        time.sleep(0.01)


def test_this_process_is_not_gone() -> None:
    assert not processes.gone(processes.name())


def test_a_number_that_was_given_to_another_program_since_is_gone() -> None:
    machine, number, started = processes.name().split(":")
    assert processes.gone(f"{machine}:{number}:{int(started) - 1}")


def test_what_cannot_be_told_is_not_called_gone() -> None:
    machine, number, started = processes.name().split(":")
    for name in (f"elsewhere:{number}:1", f"{machine}:{number}:", f"{machine}:abc:{started}", machine, "", "cli"):
        assert not processes.gone(name)
