"""The lake: Iceberg tables, their writer, reader and maintenance."""
