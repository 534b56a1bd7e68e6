#!/bin/sh
# kombu's or Celery's own tests of Redis, on our transport: tests/others/run.sh CHECKOUT [pytest's words]
# CHECKOUT is an unpacked source of kombu or Celery, of the version in requirements.txt.
set -eu
here=$(cd "$(dirname "$0")/../.." && pwd)
checkout=$(cd "$1" && pwd)
shift
exec env PYTHONPATH="$here" "$here/.venv/bin/python" -m tests.others.serve "$checkout" "$@"
