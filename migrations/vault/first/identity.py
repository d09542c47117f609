"""Merges, what an officer undid, refused links, proposals: a part of revision vault_0001, frozen with it."""

import sqlalchemy as sa
from alembic import op


def create() -> None:
    _merges()
    _links()
    _proposals()


def _merges() -> None:
    op.create_table(
        "person_merge",
        sa.Column("seq", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("loser", sa.LargeBinary(length=16), nullable=False),
        sa.Column("winner", sa.LargeBinary(length=16), nullable=False),
        sa.Column("batch", sa.LargeBinary(length=32), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("rule", sa.String(length=24), server_default="same_record", nullable=False),
        sa.Column("source", sa.String(length=40), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_person_merge")),
    )
    op.create_index(op.f("ix_person_merge_loser"), "person_merge", ["loser"], unique=False)
    op.create_index(op.f("ix_person_merge_winner"), "person_merge", ["winner"], unique=False)
    op.create_table(
        "person_separation",
        sa.Column("merge_seq", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.Column("first", sa.LargeBinary(length=16), nullable=False),
        sa.Column("second", sa.LargeBinary(length=16), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("by", sa.String(length=80), nullable=False),
        sa.Column("lifted_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("merge_seq", name=op.f("pk_person_separation")),
    )
    op.create_index(op.f("ix_person_separation_first"), "person_separation", ["first"], unique=False)
    op.create_index(op.f("ix_person_separation_second"), "person_separation", ["second"], unique=False)


def _links() -> None:
    op.create_table(
        "link_batch",
        sa.Column("no", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("batch", sa.LargeBinary(length=32), nullable=False),
        sa.Column("source", sa.String(length=40), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("no", name=op.f("pk_link_batch")),
    )
    op.create_table(
        "refused_link",
        sa.Column("person_no", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.Column("type", sa.String(length=16), nullable=False),
        sa.Column("rule", sa.String(length=16), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("last_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("person_no", "type", "rule", name=op.f("pk_refused_link")),
    )


def _proposals() -> None:
    op.create_table(
        "merge_proposal",
        sa.Column("seq", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("first", sa.LargeBinary(length=16), nullable=False),
        sa.Column("second", sa.LargeBinary(length=16), nullable=False),
        sa.Column("weight_milli", sa.Integer(), nullable=False),
        sa.Column("reasons", sa.JSON(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("source", sa.String(length=40), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("decided_by", sa.String(length=80), nullable=True),
        sa.Column("decided_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_merge_proposal")),
        sa.UniqueConstraint("first", "second", name=op.f("uq_merge_proposal_first_second")),
    )
    op.create_index(op.f("ix_merge_proposal_state"), "merge_proposal", ["state"], unique=False)
