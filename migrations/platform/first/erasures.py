"""Erasures, their steps, and whose rows are about to leave the lake: a part of revision platform_0001, frozen with it."""

import sqlalchemy as sa
from alembic import op


def create() -> None:
    op.create_table(
        "erasure",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("request", sa.String(length=60), nullable=True),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("begun_by", sa.String(length=80), nullable=False),
        sa.Column("approved_by", sa.String(length=80), nullable=False),
        sa.Column("begun_at", sa.BigInteger(), nullable=False),
        sa.Column("done_at", sa.BigInteger(), nullable=True),
        sa.Column("error", sa.String(length=60), nullable=True),
        sa.Column("replay", sa.Boolean(), nullable=False),
        sa.Column("certificate", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_erasure")),
        sa.UniqueConstraint("request", name=op.f("uq_erasure_request")),
    )
    op.create_index(op.f("ix_erasure_state"), "erasure", ["state"], unique=False)
    op.create_index(op.f("ix_erasure_begun_at"), "erasure", ["begun_at"], unique=False)
    op.create_table(
        "erasure_step",
        sa.Column("erasure", sa.String(length=40), nullable=False),
        sa.Column("step", sa.String(length=20), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("counts", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("erasure", "step", name=op.f("pk_erasure_step")),
    )
    op.create_table(
        "lapse",
        sa.Column("handle", sa.LargeBinary(length=16), nullable=False),
        sa.Column("noticed_at", sa.BigInteger(), nullable=False),
        sa.Column("due_at", sa.BigInteger(), nullable=False),
        sa.Column("erased_at", sa.BigInteger(), nullable=True),
        sa.Column("rows", sa.BigInteger(), nullable=False),
        sa.Column("entry", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("handle", name=op.f("pk_lapse")),
    )
    op.create_index(op.f("ix_lapse_due_at"), "lapse", ["due_at"], unique=False)
    op.create_index(op.f("ix_lapse_erased_at"), "lapse", ["erased_at"], unique=False)
