"""Where each face is in each frame: the table, and the JSON document that it is read from and written to."""
