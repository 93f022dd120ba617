"""What is published, made from a tag: the source tree, the weights, the wheel, the catalogue's entry, the checks."""
