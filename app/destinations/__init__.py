"""How what leaves is carried: one way of sending a file, strangers to each other. Transport only."""
