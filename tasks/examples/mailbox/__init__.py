"""What was sent, to look at: on a developer's machine only."""
