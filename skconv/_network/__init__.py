"""Layers as a network: lowering, blocks, training sessions, predictions."""
