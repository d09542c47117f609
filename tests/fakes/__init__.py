"""Fakes that honour our own protocols."""
