"""What ticks: the schedule, the scheduler, the heartbeat."""
