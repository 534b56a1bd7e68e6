"""`make worker`: one worker with this terminal's stdin, so that `breakpoint()` works.

It uses the broker and the mailbox of the `make up` that runs here, which stops its own worker of
the same profile meanwhile. Without a `make up` it needs BROKER_URL.
"""

import os
import sys
from pathlib import Path

from dutiful import env
from dutiful.dev.up import ports, state


def main(words: list[str]) -> None:
    """Replaces this process by the worker; `words` are its flags. Exits with 1 without a broker."""
    if not env.broker_url() and not ports.taken(env.BROKER_PORT.get()):
        sys.exit(
            f"make worker: no broker on port {env.BROKER_PORT.get()}. Run `make up` in another"
            " terminal, or set BROKER_URL."
        )
    if "--profile" in words:
        state.take_place_of(f"worker_{words[words.index('--profile') + 1]}")
    environment = {**state.read().get("environment", {}), **os.environ}
    program = Path(sys.executable).with_name("celery")
    flags = ["-A", os.environ["DJANGO_SETTINGS_MODULE"].partition(".")[0], "worker", *words]
    os.execve(program, [str(program), *flags], environment)  # noqa: S606  # the worker keeps this terminal


if __name__ == "__main__":
    main(sys.argv[1:])
