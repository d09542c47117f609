"""Tests of the admission door."""
