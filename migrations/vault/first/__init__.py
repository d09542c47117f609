"""Parts of the vault's first revision."""
