#!/bin/sh
# Makes the virtual environment and installs the locks named, each once for every state of its file.
# Usage: [PYTHON=python3.12] [VENV=.venv] sh project/setup.sh requirements.txt [requirements-dev.txt]
set -eu
cd "$(dirname "$0")/.."
PYTHON=${PYTHON:-}
VENV=${VENV:-.venv}

fail() {
    echo "setup: $*" >&2
    exit 1
}

supported() {
    "$1" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 14))' >/dev/null 2>&1
}

version() {
    "$1" -c 'import platform; print(platform.python_version())' 2>/dev/null ||
        echo "no Python that starts"
}

refuse() {
    fail "needs Python 3.11 to 3.14; $1 is $(version "$1"). Name another: make PYTHON=/path/to/python3.13"
}

# An interpreter that is named is used or refused; without a name the first that is supported is.
[ -z "$PYTHON" ] || supported "$PYTHON" || refuse "$PYTHON"
if ! { supported "$VENV/bin/python" && [ -x "$VENV/bin/pip" ]; }; then
    for python in "$PYTHON" python3 python3.13 python3.12 python3.11 python3.14 none; do
        [ -n "$python" ] && supported "$python" && break
    done
    [ "$python" != none ] || refuse python3
    "$python" -c 'import venv, ensurepip' >/dev/null 2>&1 ||
        fail "$python has no venv module. On Debian and Ubuntu: apt install python3-venv"
    # An unsupported or missing Python needs a new environment; else only what is missing is added.
    clear=
    supported "$VENV/bin/python" || clear=--clear
    "$python" -m venv $clear "$VENV" || fail "could not make $VENV with $python."
fi
if [ -n "$PYTHON" ]; then
    named=$(version "$PYTHON")
    found=$(version "$VENV/bin/python")
    [ "${named%.*}" = "${found%.*}" ] ||
        fail "$PYTHON is Python $named, but $VENV has $found. Remove $VENV, or add VENV=.venv-${named%.*}"
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

# Only where the pack lies beside the template: an editable install, so that its changes apply.
stamp=$VENV/installed-pack
if [ -f pack/pyproject.toml ] && ! cmp -s pack/pyproject.toml "$stamp"; then
    rm -f "$stamp"
    "$VENV/bin/python" -m pip install -qq --disable-pip-version-check --no-deps --no-build-isolation -e pack ||
        fail "could not install pack/; pip says why above. Run the same again to go on."
    cp pack/pyproject.toml "$stamp"
fi
