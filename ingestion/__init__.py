"""The workshop where data comes in."""
