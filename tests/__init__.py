"""This project's own tests."""
