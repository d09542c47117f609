"""The room where fields lose whoever they were about."""
