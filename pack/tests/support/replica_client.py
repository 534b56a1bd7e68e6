"""A process of the deployment that runs code for a test: it reads and writes lines of JSON.

In: code. Out: what it printed, or the error's traceback.
"""

import io
import json
import sys
import traceback
from contextlib import redirect_stdout

import django


def main() -> None:
    django.setup()
    names: dict[str, object] = {}
    exec("from tests.support.replicated import *", names)
    for line in sys.stdin:
        printed, error = io.StringIO(), ""
        try:
            with redirect_stdout(printed):
                exec(json.loads(line), names)
        except Exception:  # noqa: BLE001  # told to whoever asked
            error = traceback.format_exc()
        print(json.dumps([printed.getvalue(), error]), flush=True)


if __name__ == "__main__":
    main()
