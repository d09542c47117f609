"""Unit tests of `privacy.deidentify`."""
