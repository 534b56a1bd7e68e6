"""How a message travels: the Redis transport, its scripts, the embedded broker, the doctor."""
