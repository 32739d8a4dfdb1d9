"""Networks of layers: lowering, blocks, sessions, predictions."""
