"""The child process that segments, and its protocol."""
