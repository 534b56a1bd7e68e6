"""Photo check: work for a processor, on bytes from strangers."""
