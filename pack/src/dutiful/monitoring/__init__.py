"""What watches: how long tasks waited and ran, Flower behind its login."""
