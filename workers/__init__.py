"""The shapes of this project's workers."""
