"""Unit tests of `analytics.reports`."""
