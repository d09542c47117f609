"""The budget's parts that are not the release door: shares of teams, and what this machine remembers of the ledger.

Promise: a proposal, its confirmation and every change of a team have their entry in their own transaction; a ledger that is behind what was
signed last is told before anything is served.
"""

from __future__ import annotations

from typing import Any

from app import remembered
from app.repeats import Also, nothing_more
from app.wiring.doors import Doors
from privacy.audit import merkle, reading
from privacy.audit.log import head
from privacy.audit.verify import is_signed, read_checkpoint
from privacy.errors import Locked
from privacy.vocabulary import LogKind


class Allocations(Doors):
    """Teams and the remembered checkpoint."""

    # ── teams ────────────────────────────────────────────────────────────────────────────────────────────────────────────────

    def teams(self) -> dict[str, Any]:
        """Shares in force, proposals that wait, members, and what each team spent of each month."""
        from privacy.dp import ledger, teams

        with self.read_console() as tx:
            caps = {month: account.cap_nano for month, account in ledger.accounts(tx).items()}
            shares = teams.shares(tx)
            spent = teams.spending(tx)
            found = {"waiting": teams.waiting(tx), "members": teams.members(tx)}
        named = [(team, permille) for team, permille in sorted(shares.items())]
        rest = [("", teams.WHOLE - sum(shares.values()))] if shares else []
        items = [
            {
                "team": team,
                "permille": permille,
                "months": [
                    {
                        "month": month,
                        "most_nano": (most := teams.limit(cap, permille)),
                        "spent_nano": spent.get((team, month), 0),
                        "left_nano": max(0, most - spent.get((team, month), 0)),
                    }
                    for month, cap in sorted(caps.items(), reverse=True)
                ],
            }
            for team, permille in [*named, *rest]
        ]
        return {"items": items, **found}

    def propose_share(self, team: str, permille: int, *, actor: str, also: Also = nothing_more) -> int:
        """Writes down what a team may spend of every month's question slice; another officer puts it in force."""
        from privacy.dp import teams

        with self.begin_console() as tx:
            number = teams.propose(tx, team, permille, by=actor, now=self.clock())
            self.log(tx, LogKind.CONFIG, "budget.share.propose", actor=actor, facts={"share": number, "permille": permille})
            also(tx, {"share": number})
        return number

    def confirm_share(self, number: int, *, actor: str) -> None:
        """Puts a proposed share in force."""
        from privacy.dp import teams

        with self.begin_console() as tx:
            _, permille = teams.confirm(tx, number, by=actor, now=self.clock())
            self.log(tx, LogKind.CONFIG, "budget.share.confirm", actor=actor, facts={"share": number, "permille": permille})

    def assign_team(self, account: str, team: str, *, actor: str) -> None:
        """Puts a member of staff into a team, or out of every one."""
        from privacy.dp import teams

        with self.begin_console() as tx:
            teams.assign(tx, account, team)
            self.log(tx, LogKind.CONFIG, "budget.team.assign", actor=actor, facts={"account": account, "in": int(bool(team))})

    # ── what this machine remembers ──────────────────────────────────────────────────────────────────────────────────────────

    def sign_checkpoint(self) -> str:
        """Signs the log's head and remembers the note beside the keys, outside the store; never over a newer one. Raises Locked."""
        self.check_ledger()
        note = self.oversight.checkpoint()
        with self.read_console() as tx:
            spent = self._spent(tx)
        remembered.keep(self.settings.keys_path, remembered.Remembered(note, *spent))
        return note

    def check_ledger(self) -> str:
        """Raises Locked (`ledger_behind`) where the store is older than what this machine saw signed: budget that was spent would be there again."""
        known = remembered.read(self.settings.keys_path)
        if known is None:
            return "no checkpoint was signed on this machine yet"
        told, signed, signatures = read_checkpoint(known.note)
        with self.read_console() as tx:
            size, root = head(tx)
            spent = self._spent(tx)
            grown = told.size <= size and (
                told.size == 0
                or merkle.verify_consistency(told.size, size, reading.consistency_proof(tx, told.size, size), told.root, root)
            )
        ours = is_signed(signed, signatures, self.oversight.verifier_keys())
        if not grown or not ours or spent[0] < known.charges or spent[1] < known.rho_nano:
            raise Locked(
                "the store is older than the last signed checkpoint that this machine holds, so its budget ledger is behind: restore a newer backup",
                code="ledger_behind",
            )
        return f"the ledger holds the {known.charges} charges of the last signed checkpoint"

    @staticmethod
    def _spent(tx: Any) -> tuple[int, int]:
        from privacy.dp import ledger

        return ledger.totals(tx)
