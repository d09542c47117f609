"""Unit tests of `privacy.identity`."""
