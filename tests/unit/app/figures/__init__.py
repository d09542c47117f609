"""Unit tests of figures."""
