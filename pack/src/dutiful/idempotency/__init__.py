"""A task that runs twice has its effect once: keys, fences, stored results.

    from dutiful.idempotency import IdempotentTask

    @task(base=IdempotentTask, bind=True, urgency="urgent", runtime="fast")
    def pay(self, order: int) -> None:
        with self.effect():
            Payment.objects.create(order_id=order)

`keys` names a call, `store` keeps what became of it, `mixin` puts both around a task's body,
`unique` drops calls that would only do the same work again. For users: docs/idempotency.md.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dutiful.idempotency.keys import IdempotencyConflict, StaleFence
    from dutiful.idempotency.mixin import Effect, IdempotencyKeyMixin, IdempotentTask
    from dutiful.idempotency.unique import UniqueTask

__all__ = [
    "Effect",
    "IdempotencyConflict",
    "IdempotencyKeyMixin",
    "IdempotentTask",
    "StaleFence",
    "UniqueTask",
]
_PLACES = {"IdempotencyConflict": "keys", "StaleFence": "keys", "UniqueTask": "unique"}


def __getattr__(name: str) -> Any:
    # Late: Django imports this package before its apps are ready, and tasks import Django's models.
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_PLACES.get(name, 'mixin')}"), name)
