"""How each family of recipients wants to be told of people: normalised, hashed, in its own columns, or not at all."""
