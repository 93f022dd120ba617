"""Nodes in and out."""
