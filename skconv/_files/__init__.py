"""Files that models are kept in: arrays in the safetensors layout, strict JSON, files that are replaced as a whole."""
