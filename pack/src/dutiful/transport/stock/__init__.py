"""kombu's own transports: what can be had of them by kombu's interface."""
