"""The proof: one module a drill, stock Celery beside ours in the same run."""
