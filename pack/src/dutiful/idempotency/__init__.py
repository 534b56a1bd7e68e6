"""A task that runs twice has its effect once: keys, fences, stored results.

    from dutiful.idempotency import IdempotentTask

    @task(base=IdempotentTask, bind=True, urgency="urgent", runtime="fast")
    def pay(self, order: int) -> None:
        with self.effect():
            Payment.objects.create(order_id=order)

`keys` names a call. `mixin` wraps a task's body: it takes the key before the body runs, marks it as
done in the effect's transaction, and releases it after a failure. `store` has the SQL of these
steps, and `models.Key` the row. `unique` drops a call that would only repeat another one that waits
or runs; `unique_calls` has the SQL of that, and `models.UniqueCall` the row. `tasks` purges both
tables on the schedule, and `checks` refuses wrong declarations. For users: docs/idempotency.md.
"""

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
