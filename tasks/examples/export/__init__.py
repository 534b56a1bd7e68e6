"""Export file: many rows, one file, little memory."""
