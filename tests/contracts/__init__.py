"""Tests that keep the architecture, the dictionary and the migrations true."""
