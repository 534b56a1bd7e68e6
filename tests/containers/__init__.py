"""The image, by pytest-celery."""
