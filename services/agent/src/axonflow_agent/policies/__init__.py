"""Static policies: read, written, tried out."""
