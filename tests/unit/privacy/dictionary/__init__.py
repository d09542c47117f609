"""Unit tests of `privacy.dictionary`."""
