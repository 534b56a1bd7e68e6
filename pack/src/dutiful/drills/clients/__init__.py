"""The client processes of a drill, and the code that controls them.

`publish` is a program that sends numbered tasks with a system's own Celery, and `sender` controls
it. `requests` is a program that serves simulated web requests, and `web` controls it. Programs and
their controllers exchange JSON lines over stdin and stdout.
"""
