#!/bin/sh
# Makes the virtual environment and installs the locks named, each once for every state of its file.
# Usage: [PYTHON=python3.12] [VENV=.venv] sh project/setup.sh requirements.txt [requirements-dev.txt]
set -eu
cd "$(dirname "$0")/.."
PYTHON=${PYTHON:-python3}
VENV=${VENV:-.venv}

fail() {
    echo "setup: $*" >&2
    exit 1
}

new_enough() {
    "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1
}

if ! { new_enough "$VENV/bin/python" && [ -x "$VENV/bin/pip" ]; }; then
    for python in "$PYTHON" python3.13 python3.12 python3.11 none; do
        new_enough "$python" && break
    done
    [ "$python" != none ] ||
        fail "needs Python 3.11 or later; $PYTHON is $("$PYTHON" --version 2>&1 | tail -n 1). Install one, or name it: make PYTHON=/path/to/python3.11"
    "$python" -c 'import venv, ensurepip' >/dev/null 2>&1 ||
        fail "$python has no venv module. On Debian and Ubuntu: apt install python3-venv"
    # Too old, or of a Python that is gone: from scratch. Else only complete what is there.
    clear=
    new_enough "$VENV/bin/python" || clear=--clear
    "$python" -m venv $clear "$VENV" || fail "could not make $VENV with $python."
fi

for lock in "$@"; do
    stamp=$VENV/installed-$lock
    cmp -s "$lock" "$stamp" && continue
    rm -f "$stamp"
    echo "Installing $lock into $VENV (about 30 s) ..."
    "$VENV/bin/python" -m pip install -qq --disable-pip-version-check --require-hashes -r "$lock" ||
        fail "could not install $lock; pip says why above. Run the same again to go on."
    cp "$lock" "$stamp"
done

# The pack lies beside the template here: installed as it is, so that a change of it is in force.
stamp=$VENV/installed-pack
if [ -f pack/pyproject.toml ] && ! cmp -s pack/pyproject.toml "$stamp"; then
    rm -f "$stamp"
    "$VENV/bin/python" -m pip install -qq --disable-pip-version-check --no-deps --no-build-isolation -e pack ||
        fail "could not install pack/; pip says why above. Run the same again to go on."
    cp pack/pyproject.toml "$stamp"
fi
