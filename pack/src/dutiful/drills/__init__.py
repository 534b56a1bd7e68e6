"""The proof: one module a drill, stock Celery beside ours in the same run.

A drill is a promise, three contenders and a scenario (`crash`, `freeze`, `blip`, ...). What they
share: `arena` (a contender's broker, record and workers), `crew` (the supervisor that starts
again what ended), `sender` and `publish` (a client in a process of its own), `work` (what the
tasks do), `ledger` and `tally` (what ran), `census` (what still waits), `play` and `table`.
`stock`, `tuned`, `work` and `record` import nothing of the project: stock Celery stays stock.
"""
