"""What the tests share: processes that end with their test, waiting with a deadline."""
