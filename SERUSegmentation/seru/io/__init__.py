"""Images in and out: one file a format, reader and writer together."""
