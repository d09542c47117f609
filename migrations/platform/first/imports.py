"""The first tables of imports: a part of revision platform_0001, frozen with it."""

import sqlalchemy as sa
from alembic import op


def create() -> None:
    op.create_table(
        "file_import",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("source_id", sa.String(length=40), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("format", sa.String(length=12), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=True),
        sa.Column("mapping", sa.Text(), nullable=True),
        sa.Column("size", sa.BigInteger(), nullable=True),
        sa.Column("sha256", sa.LargeBinary(length=32), nullable=True),
        sa.Column("received_bytes", sa.BigInteger(), nullable=False),
        sa.Column("sealed_bytes", sa.BigInteger(), nullable=False),
        sa.Column("chunk_rows", sa.Integer(), nullable=False),
        sa.Column("next_row", sa.BigInteger(), nullable=False),
        sa.Column("done", sa.BigInteger(), nullable=False),
        sa.Column("total", sa.BigInteger(), nullable=True),
        sa.Column("counts", sa.JSON(), nullable=False),
        sa.Column("cancel", sa.Boolean(), nullable=False),
        sa.Column("used", sa.Boolean(), nullable=False),
        sa.Column("holder", sa.String(length=60), nullable=True),
        sa.Column("error_code", sa.String(length=60), nullable=True),
        sa.Column("request_key", sa.String(length=200), nullable=True),
        sa.Column("created_by", sa.String(length=60), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("started_at", sa.BigInteger(), nullable=True),
        sa.Column("last_at", sa.BigInteger(), nullable=True),
        sa.Column("finished_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_file_import")),
        sa.UniqueConstraint("request_key", name=op.f("uq_file_import_request_key")),
    )
    for column in ("created_at", "source_id", "state"):
        op.create_index(op.f(f"ix_file_import_{column}"), "file_import", [column], unique=False)
    op.create_table(
        "import_chunk",
        sa.Column("import_id", sa.String(length=40), nullable=False),
        sa.Column("first_row", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("source_id", sa.String(length=40), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("batch_id", sa.LargeBinary(length=32), nullable=False),
        sa.Column("faults", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("import_id", "first_row", name=op.f("pk_import_chunk")),
        sa.UniqueConstraint("source_id", "at", name=op.f("uq_import_chunk_source_id_at")),
    )
    op.create_table(
        "import_part",
        sa.Column("seq", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.Column("import_id", sa.String(length=40), nullable=False),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_import_part")),
    )
    op.create_index(op.f("ix_import_part_import_id"), "import_part", ["import_id"], unique=False)
    op.create_table(
        "import_file",
        sa.Column("location", sa.String(length=500), nullable=False),
        sa.Column("import_id", sa.String(length=40), nullable=False),
        sa.Column("lake_table", sa.String(length=64), nullable=False),
        sa.Column("month", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("location", name=op.f("pk_import_file")),
    )
    op.create_index(op.f("ix_import_file_import_id"), "import_file", ["import_id"], unique=False)
