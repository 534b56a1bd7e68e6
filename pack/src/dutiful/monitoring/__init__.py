"""Monitoring: what the fleet does now, what it did, which promise is broken, and who is alerted.

The parts build on each other, from below:

- `fleet`: each process counts its runs and publishes into one Redis hash (`runs`, `queries`).
- `snapshot`: the state of everything at one moment; a part that does not answer says so.
- `history`: each minute of both, as rows of the database; `cost`, `drift` and `slo` read it.
- `alerts`: rules evaluate a snapshot; `AlertState` decides what is reported, channels send it.
- `monitor`: the process that does so every few seconds, and the dead-man's switch.
- `status`, `healthz`, `metrics`: the same facts as a page, as status codes, for Prometheus.
- `budget` and `forecast`: connections that a formation may open, workers that a queue needs.

Each works without the parts above it, and without beat, the outbox and the other pieces.
"""
