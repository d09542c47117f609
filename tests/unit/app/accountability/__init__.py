"""The register, the self-check, the packs."""
