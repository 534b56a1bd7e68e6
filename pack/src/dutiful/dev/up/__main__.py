"""`python -m dutiful.dev.up`, which is what `make up` runs."""

import asyncio
import sys

from dutiful import env
from dutiful.dev.embedded import BrokerError
from dutiful.dev.up import preflight, state
from dutiful.dev.up.preflight import Refused
from dutiful.dev.up.supervisor import Supervisor
from dutiful.dev.variables import declare_all


async def _run() -> int:
    return await Supervisor().run()


def main() -> int:
    try:
        declare_all()
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
