"""From the version before to this one, with messages of every kind under way."""
