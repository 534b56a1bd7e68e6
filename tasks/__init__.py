"""What a task is: its queue, its base class, its retries, its limits."""
