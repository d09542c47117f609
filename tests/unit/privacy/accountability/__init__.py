"""Papers of accountability."""
