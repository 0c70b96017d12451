#!/usr/bin/env bash
# Makes .venv hold what one lock file says (demo or dev) and this checkout, editable. Does nothing when it
# already does: a stamp carries the checksum of everything that went in. With uv when it is on PATH, else with
# venv and pip. Prometheus is not a Python package: see tidegate.adapters.system_packages.
set -euo pipefail
cd "$(dirname "$0")/.."
unset PYTHONHOME PYTHONPATH VIRTUAL_ENV

refuse() {
    echo "set-up: $1" >&2
    exit 3
}

python_for_venv() {
    local candidate
    for candidate in python3.13 python3.12 python3.11 python3; do
        if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then
            "$candidate" -c 'import sys; print(sys.executable)'
            return
        fi
    done
    refuse "Python 3.11 or newer is needed and none is on PATH; install it and run make again"
}

install_with_uv() {
    local python
    if ! .venv/bin/python -c '' 2>/dev/null; then
        python=$(python_for_venv)
        uv venv --quiet --clear --python "$python" .venv
    fi
    uv pip sync --python .venv/bin/python --require-hashes "$@"
    uv pip install --quiet --python .venv/bin/python --no-deps --no-build-isolation --editable .
}

install_with_pip() {
    local python lock locks=() pip=(.venv/bin/python -m pip)
    if ! "${pip[@]}" --version >/dev/null 2>&1; then
        python=$(python_for_venv)
        if "$python" -c 'import ensurepip' 2>/dev/null; then
            "$python" -m venv --clear .venv
        else # Debian's Python without python3-venv: a pip that runs from its wheel installs into an empty environment
            "$python" -m venv --clear --without-pip .venv
            pip=(.venv/bin/python "$(PYTHONPATH=controller "$python" -m tidegate.adapters.system_packages pip)/pip")
        fi
    fi
    for lock in "$@"; do locks+=(--requirement "$lock"); done
    "${pip[@]}" install --disable-pip-version-check --quiet --progress-bar off --require-hashes "${locks[@]}"
    "${pip[@]}" install --disable-pip-version-check --quiet --no-deps --no-build-isolation --editable .
}

case "${1-}" in
    demo) locks=(requirements/build.lock requirements/demo.lock) ;;
    dev) locks=(requirements/dev.lock) ;;
    *) refuse "say which lock file: requirements/install.sh demo|dev" ;;
esac

stamp_of() { cat requirements/install.sh pyproject.toml "requirements/$1.lock" requirements/build.lock | cksum; }
holds() { [ "$(cat ".venv/.$1-stamp" 2>/dev/null)" = "$(stamp_of "$1")" ] && .venv/bin/python -c '' 2>/dev/null; }

# dev.lock is compiled on top of demo.lock, so an environment for development runs the demo too.
if holds dev || holds "$1"; then exit 0; fi

rm -f .venv/.demo-stamp .venv/.dev-stamp
echo "set-up: installing requirements/$1.lock into .venv" >&2
if command -v uv >/dev/null; then install_with_uv "${locks[@]}"; else install_with_pip "${locks[@]}"; fi
stamp_of "$1" >".venv/.$1-stamp"
