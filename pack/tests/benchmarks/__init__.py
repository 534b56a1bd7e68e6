"""The benchmarks: stock Celery and ours in pairs, and four other task queues, in one run.

Run them with `python -m tests.benchmarks`. They measure and assert no time. `measure` lists the
benchmarks, `systems` says how each system starts, `deployment` runs one system with a broker of its
own, `publisher` is the process that publishes, `record` is what the tasks write, and `report`
formats the results.
"""
