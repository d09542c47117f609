"""Unit tests of `analytics.segments`."""
