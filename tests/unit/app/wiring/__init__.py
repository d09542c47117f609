"""Mirrors app/wiring."""
