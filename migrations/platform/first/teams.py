"""Shares of teams in the question slice, who belongs to which, what each spent: a part of revision platform_0001, frozen with it."""

import sqlalchemy as sa
from alembic import op


def create() -> None:
    op.create_table(
        "team_share",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("team", sa.String(length=40), nullable=False),
        sa.Column("permille", sa.Integer(), nullable=False),
        sa.Column("proposed_by", sa.String(length=200), nullable=False),
        sa.Column("proposed_at", sa.BigInteger(), nullable=False),
        sa.Column("confirmed_by", sa.String(length=200), nullable=True),
        sa.Column("confirmed_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_team_share")),
    )
    op.create_index(op.f("ix_team_share_team"), "team_share", ["team"])
    op.create_table(
        "team_member",
        sa.Column("account_id", sa.String(length=40), nullable=False),
        sa.Column("team", sa.String(length=40), nullable=False),
        sa.PrimaryKeyConstraint("account_id", name=op.f("pk_team_member")),
    )
    op.create_table(
        "team_month",
        sa.Column("team", sa.String(length=40), nullable=False),
        sa.Column("month", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("spent_nano", sa.BigInteger(), server_default="0", nullable=False),
        sa.CheckConstraint("spent_nano >= 0", name=op.f("ck_team_month_spent_not_negative")),
        sa.PrimaryKeyConstraint("team", "month", name=op.f("pk_team_month")),
    )
