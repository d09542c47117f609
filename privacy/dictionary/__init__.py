"""The data dictionary: one TOML a record kind, and the loader."""
