"""Revisions of the vault; each imports nothing of ours."""
