"""Sign-up mail: somebody waits for it, so it is urgent and fast."""
