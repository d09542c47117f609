"""The export gate: the only door through which a list of people leaves."""
