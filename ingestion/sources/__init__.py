"""Sources: one adapter each, strangers to each other."""
