"""Cases of officers and what a no kept out: a part of revision platform_0001, frozen with it."""

import sqlalchemy as sa
from alembic import op


def create() -> None:
    op.create_table(
        "person_case",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("account_id", sa.String(length=80), nullable=False),
        sa.Column("subject", sa.LargeBinary(length=16), nullable=False),
        sa.Column("found", sa.String(length=8), nullable=False),
        sa.Column("purpose", sa.String(length=40), nullable=False),
        sa.Column("entry", sa.BigInteger(), nullable=False),
        sa.Column("opened_at", sa.BigInteger(), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_person_case")),
    )
    op.create_index(op.f("ix_person_case_account_id"), "person_case", ["account_id"], unique=False)
    op.create_index(op.f("ix_person_case_until"), "person_case", ["until"], unique=False)
    _approvals()
    op.create_table(
        "stopped_count",
        sa.Column("handle", sa.LargeBinary(length=16), nullable=False),
        sa.Column("purpose", sa.String(length=64), nullable=False),
        sa.Column("month", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("handle", "purpose", "month", name=op.f("pk_stopped_count")),
    )


def _approvals() -> None:
    op.create_table(
        "minor_approval",
        sa.Column("case_id", sa.String(length=40), nullable=False),
        sa.Column("account_id", sa.String(length=80), nullable=False),
        sa.Column("purpose", sa.String(length=40), nullable=False),
        sa.Column("band", sa.String(length=8), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("asked_at", sa.BigInteger(), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=False),
        sa.Column("entry", sa.BigInteger(), nullable=False),
        sa.Column("outcome", sa.String(length=8), nullable=True),
        sa.Column("decided_by", sa.String(length=80), nullable=True),
        sa.Column("decided_at", sa.BigInteger(), nullable=True),
        sa.Column("decision_entry", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("case_id", name=op.f("pk_minor_approval")),
    )
    for column in ("account_id", "asked_at"):
        op.create_index(op.f(f"ix_minor_approval_{column}"), "minor_approval", [column], unique=False)
