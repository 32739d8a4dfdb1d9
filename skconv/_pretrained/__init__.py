"""The import of ONNX models: from the nodes of a file to layers and their weights."""
