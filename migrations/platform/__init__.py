"""Revisions of the platform store; each imports nothing of ours."""
