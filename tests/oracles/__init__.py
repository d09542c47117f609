"""Independent answers: plain pandas on the raw files, sharing no code with the product."""
