"""`make up`: the Procfile's processes, the embedded broker and a mailbox, on a developer's machine.

Not for production: there each line of the Procfile is run by the platform.
"""

from dutiful import extras

extras.need("dev", "manage.py up")
