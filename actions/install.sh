#!/usr/bin/env bash
# Installs the program of the checkout that an action comes from into a virtual environment of its own under
# RUNNER_TEMP, from the hashed lock files, and says in the output `program` where it is. Once a job: a second action
# of the same checkout finds it. With uv when it is on PATH, else with venv and pip. Shared by all actions.
set -euo pipefail
unset PYTHONHOME PYTHONPATH VIRTUAL_ENV

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
locks=("$root/requirements/build.lock" "$root/actions/requirements.lock")
stamp=$(printf '%s\n' "$root" | cat - "$root/pyproject.toml" "${locks[@]}" | cksum)
venv="$RUNNER_TEMP/tidegate-${stamp%% *}"
python="$venv/bin/python"

refuse() {
    echo "::error title=Tidegate::$1"
    exit 3
}

python_on_path() {
    local candidate
    for candidate in python3 python3.13 python3.12 python3.11; do
        if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then
            "$candidate" -c 'import sys; print(sys.executable)'
            return
        fi
    done
    refuse "Python 3.11 or newer is needed and none is on PATH; run actions/setup-python before this action" >&2
}

install_with_uv() {
    uv venv --quiet --clear --python "$1" "$venv"
    uv pip sync --quiet --python "$python" --require-hashes "${locks[@]}"
    uv pip install --quiet --python "$python" --no-deps --no-build-isolation --editable "$root"
}

install_with_pip() {
    local pip=("$python" -m pip install --quiet --disable-pip-version-check)
    "$1" -c 'import ensurepip, venv' 2>/dev/null ||
        refuse "$1 cannot make virtual environments; run actions/setup-python before this action, or install uv"
    "$1" -m venv --clear "$venv"
    "${pip[@]}" --require-hashes --requirement "${locks[0]}" --requirement "${locks[1]}"
    "${pip[@]}" --no-deps --no-build-isolation --editable "$root"
}

if [ ! -e "$venv/.complete" ]; then
    found=$(python_on_path)
    if command -v uv >/dev/null; then install_with_uv "$found"; else install_with_pip "$found"; fi
    touch "$venv/.complete"
fi
echo "program=$venv/bin/tidegate" >>"$GITHUB_OUTPUT"
