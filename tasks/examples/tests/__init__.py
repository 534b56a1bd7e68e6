"""Tests of the examples; they go with them."""
