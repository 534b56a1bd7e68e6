"""A view's function that enqueues in a transaction, as the check of such code finds it."""

from django.db import transaction

from tests.support.batches import noted


def order(key: str) -> None:
    with transaction.atomic():
        noted.delay(key, 1)
