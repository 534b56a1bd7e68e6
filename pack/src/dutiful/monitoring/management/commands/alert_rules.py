"""`manage.py alert_rules > docker/alerts.yml`: Prometheus' rules, made from the catalogues."""

from typing import Any

from django.core.management.base import BaseCommand

from dutiful.monitoring.metrics import rules


class Command(BaseCommand):
    help = "Prints Prometheus' alert rules: manage.py alert_rules > docker/alerts.yml"
    requires_system_checks: Any = []

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(rules.render(), ending="")
