"""`python -m tests.benchmarks [NAME …] [--json] [--quick] [--rounds N]`: how fast, and on what.

With `--json` one object a line: name, ours, stock, ratio (of each pair, then the median), peers,
and the settings, versions and machine that they were measured with.
"""

import argparse
import json
import signal
import sys
from dataclasses import replace

from tests.benchmarks.measure import BENCHMARKS, FULL, QUICK
from tests.benchmarks.surroundings import settings, surroundings, table


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("name", nargs="*", help=f"of {', '.join(BENCHMARKS)}; all without a name")
    parser.add_argument("--json", action="store_true", help="one object a line")
    parser.add_argument("--quick", action="store_true", help="a look in a minute or two")
    parser.add_argument("--rounds", type=int, help="pairs of stock and ours")
    asked = parser.parse_args()
    unknown = [name for name in asked.name if name not in BENCHMARKS]
    if unknown:
        parser.error(f"no benchmark {', '.join(unknown)}; choose from {', '.join(BENCHMARKS)}")
    size = QUICK if asked.quick else FULL
    if asked.rounds:
        size = replace(size, rounds=asked.rounds)
    # Stopped from outside, it ends its workers and servers as Ctrl-C does.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    around = surroundings()
    if not asked.json:
        print("\n".join(f"{key}: {value}" for key, value in (around | settings()).items()))
    for name in asked.name or BENCHMARKS:
        found = BENCHMARKS[name].run(size, lambda line: print(line, file=sys.stderr))
        if asked.json:
            print(json.dumps(found | {"settings": settings(), "machine": around}), flush=True)
        else:
            print(table(found), flush=True)


if __name__ == "__main__":
    main()
