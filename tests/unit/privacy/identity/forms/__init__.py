"""Recipients' forms."""
