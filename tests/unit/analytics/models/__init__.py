"""Unit tests of `analytics.models`."""
