"""How a message travels: the embedded broker; the Redis transport and the doctor come next."""
