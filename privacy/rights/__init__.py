"""The door of rights: what people may ask about themselves, and what was erased stays erased."""
