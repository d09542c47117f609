"""The room of the tamper-evident log: the tree, the log, its checkpoints and their verifier."""
