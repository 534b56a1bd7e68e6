"""Three jobs to look at: sign-up mail, export file, photo check. Remove them with one line."""
