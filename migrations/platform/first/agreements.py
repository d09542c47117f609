"""That people agreed to a privacy notice, by source and notice: a part of revision platform_0001, frozen with it."""

import sqlalchemy as sa
from alembic import op


def create() -> None:
    op.create_table(
        "agreement",
        sa.Column("handle", sa.LargeBinary(length=16), nullable=False),
        sa.Column("source_id", sa.String(length=64), nullable=False),
        sa.Column("notice", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("agreed_at", sa.BigInteger(), nullable=False),
        sa.Column("received_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("handle", "source_id", "notice", name=op.f("pk_agreement")),
    )
