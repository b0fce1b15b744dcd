"""Finding faces in single pictures; the only place that knows onnxruntime."""
