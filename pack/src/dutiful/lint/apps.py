"""Django's handle on `manage.py check`, with the linter of tasks in it."""

from django.apps import AppConfig


class LintConfig(AppConfig):
    name = "dutiful.lint"
    label = "dutiful_lint"
