"""What ticks: a schedule of literal data, and the one beat among several that sends it."""
