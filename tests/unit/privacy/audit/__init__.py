"""Unit tests of `privacy.audit`."""
