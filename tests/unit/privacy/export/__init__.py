"""Tests of the export gate."""
