"""The door of officers and of whoever looks from outside: the log, people masked, why links hold, merges undone and proposed."""
