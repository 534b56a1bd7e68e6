"""This project's tasks, and the queues that they run in."""
