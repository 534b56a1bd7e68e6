"""The linter of tasks: `manage.py check` reads their source; a start of a worker never does.

`run` applies the rules. `subjects` finds the registered tasks and all functions of the project that
they call, in `source` (parsed modules) and `scope` (what a name in a function refers to). The rules
in `attributes`, `declared` and `signature` check a task, those in `process`, `state` and `timeouts`
a function that a task runs, and `atomic` every file; `values` tells mutable values apart. Each
yields a `finding` of one of the `rules`, unless a comment of `silences` covers its line.

For users: docs/lint.md.
"""
