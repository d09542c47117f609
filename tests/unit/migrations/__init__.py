"""Unit tests of `migrations`."""
