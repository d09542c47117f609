"""The house of privacy: its modules are doors, its subpackages are rooms."""
