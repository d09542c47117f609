"""Reports: each asks one bounded question and shows one release."""
