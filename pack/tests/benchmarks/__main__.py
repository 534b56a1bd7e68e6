"""`python -m tests.benchmarks [NAME …] [--json] [--quick] [--rounds N]` runs benchmarks.

`--json` prints one object a line: name, ours, stock, ratio (of each pair, and the median), peers,
and the settings, versions and machine of the measurement.
"""

import argparse
import json
import signal
import sys
from dataclasses import replace

from tests.benchmarks.measure import BENCHMARKS, FULL, QUICK
from tests.benchmarks.report import machine, settings, table


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("name", nargs="*", help=f"{', '.join(BENCHMARKS)}; default: all")
    parser.add_argument("--json", action="store_true", help="print one JSON object a line")
    parser.add_argument("--quick", action="store_true", help="a rough figure in a minute or two")
    parser.add_argument("--rounds", type=int, help="pairs of stock and ours")
    asked = parser.parse_args()
    unknown = [name for name in asked.name if name not in BENCHMARKS]
    if unknown:
        parser.error(f"no benchmark {', '.join(unknown)}; choose from {', '.join(BENCHMARKS)}")
    size = QUICK if asked.quick else FULL
    if asked.rounds:
        size = replace(size, rounds=asked.rounds)
    # So that SIGTERM ends workers and servers too, as Ctrl-C does.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    about = machine()
    if not asked.json:
        print("\n".join(f"{key}: {value}" for key, value in (about | settings()).items()))
    for name in asked.name or BENCHMARKS:
        found = BENCHMARKS[name].run(size, lambda line: print(line, file=sys.stderr))
        if asked.json:
            print(json.dumps(found | {"settings": settings(), "machine": about}), flush=True)
        else:
            print(table(found), flush=True)


if __name__ == "__main__":
    main()
