"""Models of what customers do: mathematics over counts. They know no lake, no person and no report."""
