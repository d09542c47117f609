"""Names for processes, and whether one certainly runs no more: so that a killed process's reservation need not wait for its lease.

Promise: says "gone" only of a process of this machine whose number is free or was given to another program since.
"""

from __future__ import annotations

import os
import socket
from pathlib import Path


def name() -> str:
    """This process: machine, number, and when the kernel started it."""
    return f"{_machine()}:{os.getpid()}:{_started(os.getpid())}"


def gone(holder: str) -> bool:
    """Whether a named process certainly runs no more; false where that cannot be told."""
    machine, _, rest = holder.partition(":")
    number, _, started = rest.partition(":")
    if machine != _machine() or not number.isdigit() or not started:
        return False
    return _started(int(number)) != started


def _machine() -> str:
    return socket.gethostname().replace(":", "-")[:40]


def _started(number: int) -> str:
    """The start time in the kernel's ticks; empty where the process or /proc is absent, or where only its parent still has to hear of its end."""
    try:
        state, *fields = Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return ""
    return "" if state in ("Z", "X", "x") else fields[18]
