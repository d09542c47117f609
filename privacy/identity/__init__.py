"""The room of identities: keys, pseudonyms, normalisation and the vault."""
