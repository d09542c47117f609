"""One small family of errors, each with a lasting code.

Promise: a message names the rule or the field and never carries anybody's value, so that it may be logged and shown.
The root is never raised. The edge translates the family to HTTP in one table (`app.errors`).
"""

from __future__ import annotations


class PiyingError(Exception):
    """The root of the family: `code` is stable and machine-readable, `message` is for a person."""

    code = "error"

    def __init__(self, message: str, *, code: str | None = None, field: str | None = None, retry_after: int | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.code = code or type(self).code
        self.field = field
        self.retry_after = retry_after


class Invalid(PiyingError):
    """What was sent breaks a rule of form; sending it again unchanged will fail again."""

    code = "invalid"


class Refused(PiyingError):
    """What was asked is understood and not allowed."""

    code = "refused"


class NotFound(PiyingError):
    """The thing named does not exist, or not for this caller."""

    code = "not_found"


class Conflict(PiyingError):
    """The thing changed meanwhile, or the same key was used for another body."""

    code = "conflict"


class Locked(PiyingError):
    """Keys are missing, unreadable, wrong or of another deployment: nothing is read and nothing is written."""

    code = "keys_locked"


class Unavailable(PiyingError):
    """A store, the log or the disk does not answer now; nothing was acknowledged, trying later may work."""

    code = "unavailable"


class WrongSchema(PiyingError):
    """A store's schema is not this program's own."""

    code = "schema_not_current"


class BudgetExhausted(Refused):
    """The months asked about have less budget left than the question costs (dp_rules P-2)."""

    code = "budget_exhausted"


class Raced(PiyingError):
    """A consent changed between the decision and the commit; the caller decides again."""

    code = "raced"


class NotConfigured(PiyingError):
    """Not forbidden: this deployment was never told how to do it."""

    code = "not_configured"
