"""Unit tests of `ingestion.sources`."""
