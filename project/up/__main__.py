"""`python -m project.up`, which is what `make up` runs."""

import asyncio
import sys

from broker.embedded import BrokerError
from monitoring import env as _monitoring  # noqa: F401  # declares its variables
from project import env
from project.up import preflight, state
from project.up.preflight import Refused
from project.up.supervisor import Supervisor


async def _run() -> int:
    return await Supervisor().run()


def main() -> int:
    try:
        for variable in env.VARIABLES:
            variable.get()
        with state.lock():
            left = state.stop_leftovers()
            if left:
                print(f"make up: stopped what an earlier run left: {', '.join(left)}")
            preflight.check_ports()
            preflight.check_broker()
            return asyncio.run(_run())
    except (env.EnvError, Refused, BrokerError) as error:
        print(f"make up: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:  # before the supervisor listens for it
        return 130


if __name__ == "__main__":
    sys.exit(main())
