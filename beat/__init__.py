"""What ticks in this project."""
