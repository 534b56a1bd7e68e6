"""The linter of tasks: reads their source at `manage.py check`, never at a worker's start."""
