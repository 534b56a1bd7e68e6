"""`make up`: the Procfile's processes, the embedded broker and a mailbox, on a developer's machine.

It is not for production, where the platform runs each line of the Procfile. `preflight` refuses
what cannot start, and `state` keeps a second `make up` away and stops the processes of a killed
one. The `supervisor` starts a `service` for each line (`processes` keeps them alive, after a
`pause`), shows the `table`, restarts on a change (`watch`) and stops everything in order.
`foreground` is `make worker`.
"""

from dutiful import extras

extras.need("dev", "manage.py up")
