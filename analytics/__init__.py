"""The workshop where questions are asked; it never meets a person."""
