"""Who was erased, and what a running erasure works from: a part of revision vault_0001, frozen with it."""

import sqlalchemy as sa
from alembic import op


def create() -> None:
    op.create_table(
        "erasure_slip",
        sa.Column("erasure", sa.String(length=40), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("erasure", name=op.f("pk_erasure_slip")),
    )
    op.create_table(
        "erased_person",
        sa.Column("handle", sa.LargeBinary(length=16), nullable=False),
        sa.Column("erasure", sa.String(length=40), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("handle", name=op.f("pk_erased_person")),
    )
    op.create_index(op.f("ix_erased_person_erasure"), "erased_person", ["erasure"], unique=False)
