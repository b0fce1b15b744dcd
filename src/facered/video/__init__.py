"""Video files and frames; the only place that knows PyAV."""
