"""Files: a video in, annotations, pictures of people and the redacted video out."""
