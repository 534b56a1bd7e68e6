"""What happens when a worker dies: kills one that holds tasks, and shows where they run again."""
