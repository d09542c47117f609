"""The room of consent: purposes, the append-only ledger and the gate."""
