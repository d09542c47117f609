"""Unit tests of `privacy`."""
