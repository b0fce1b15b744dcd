"""Making faces unrecognisable, in place, on the planes of a picture."""
