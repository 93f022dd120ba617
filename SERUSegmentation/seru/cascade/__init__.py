"""The cascade: from a CT to the probabilities of both stages, and to labels."""
