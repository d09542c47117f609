"""Unit tests of `ingestion`."""
