"""Makes `manage.py check` with the linter known to Django."""

from django.apps import AppConfig


class LintConfig(AppConfig):
    name = "dutiful.lint"
    label = "dutiful_lint"
