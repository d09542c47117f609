"""Unit tests of `analytics.lake`."""
