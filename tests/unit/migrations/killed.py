"""A program for `test_run`: upgrades a store in forked children and kills each at its next statement.

Arguments: the store's name, then how many statements to go on by, or `once` for a run without a kill. The store's address comes on
stdin. Prints the statement at which the last child was killed.
"""

from __future__ import annotations

import os
import signal
import sys

import sqlalchemy as sa

from app.stores import Store
from migrations import run


def child(url: str, name: run.StoreName, statements: int) -> None:
    left = [statements]

    def kill(*_arguments: object) -> None:
        if left[0] == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        left[0] -= 1

    sa.event.listen(sa.Engine, "before_cursor_execute", kill)
    sa.event.listen(sa.Engine, "commit", kill)
    with Store(url).begin() as tx:
        run.upgrade(tx, name)


def main() -> int:
    name: run.StoreName = "vault" if sys.argv[1] == "vault" else "platform"
    url = sys.stdin.read()
    if sys.argv[2:] == ["once"]:
        child(url, name, 1_000_000)
        return 0
    run.head(name)
    killed = 0
    while True:
        process = os.fork()
        if process == 0:
            child(url, name, killed)
            os._exit(0)
        _, status = os.waitpid(process, 0)
        if not (os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL):
            sys.stdout.write(str(killed))
            return status
        killed += int(sys.argv[2])


if __name__ == "__main__":
    sys.exit(main())
