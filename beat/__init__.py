"""The schedule of this project."""
