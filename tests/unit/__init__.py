"""Unit tests: the tree mirrors the source."""
