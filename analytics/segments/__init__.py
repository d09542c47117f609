"""Segments: who is meant, as data in a closed grammar; read, said in words, and compiled to expressions of the engine."""
