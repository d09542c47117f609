"""Unit tests of `privacy.dp`."""
