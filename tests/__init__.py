"""Tests, in the order of trust: real clients, real databases, fakes behind the same protocols."""
