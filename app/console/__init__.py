"""Pages for people: HTML over the same functions as the API."""
