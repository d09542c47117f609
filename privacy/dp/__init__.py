"""The room of differential privacy: bounds, noise, accountant and ledger."""
