"""Model files: estimators as JSON and arrays, without code."""
