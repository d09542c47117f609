"""The API: one resource a file. A view parses, makes one call and replies."""
