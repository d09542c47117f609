"""Unit tests of `privacy.consent`."""
