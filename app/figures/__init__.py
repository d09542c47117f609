"""Figures of reports: charts, sentences, words and tables made of released numbers alone."""
