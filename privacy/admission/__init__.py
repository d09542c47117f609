"""The door in: `door` acts, `screening` decides."""
