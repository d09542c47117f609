"""What an officer shows to whoever asks: the register of processing, the self-check, audit packs."""
