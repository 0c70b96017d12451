#!/usr/bin/env bash
# Puts the program of the checkout that an action comes from into a virtual environment of its own under RUNNER_TEMP:
# the libraries from a hashed lock file, the program by a path to the checkout. Shared by all actions.
#
#   install.sh find LOCK   names the environment and, where a cache may be used, its key (outputs venv, key, cache)
#   install.sh LOCK        makes it, unless the cache or an earlier action of the job brought it
#
# LOCK is `lean`, `plan` or `full`. With uv when it is on PATH, else with the pip of the Python that is.
set -euo pipefail
unset PYTHONHOME PYTHONPATH VIRTUAL_ENV

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

refuse() {
    echo "::error title=Tidegate::$1" >&2
    exit 3
}

find_python() {
    local candidate
    for candidate in python3 python3.13 python3.12 python3.11; do
        if python=$("$candidate" -I -c 'import sys; print(sys.executable); sys.exit(sys.version_info < (3, 11))' 2>/dev/null); then
            return
        fi
    done
    refuse "Python 3.11 or newer is needed and none is on PATH; run actions/setup-python before this action"
}

# Everything that the environment depends on: an environment cannot be moved, so its place counts too.
fingerprint() {
    "$python" -I - "$root" "$lock" "${BASH_SOURCE[0]}" <<'PYTHON'
import hashlib, os, pathlib, platform, sys

root, *files = sys.argv[1:]
parts = [root, os.environ["RUNNER_TEMP"], os.environ.get("ImageOS", "")]
parts += [sys.executable, sys.version, sys.platform, platform.machine(), *platform.libc_ver()]
parts += [pathlib.Path(file).read_text(encoding="utf-8") for file in files]
print(hashlib.sha256("\0".join(parts).encode()).hexdigest()[:32])
PYTHON
}

# What runs there may have handled a stranger's text with the rights of main; releases take nothing from a cache.
may_cache() {
    case "${GITHUB_EVENT_NAME-}" in
        issue_comment | pull_request_target | release | workflow_run) return 1 ;;
    esac
    [ "${GITHUB_REF_TYPE-}" != tag ]
}

whole() { [ -e "$venv/.complete" ] && "$venv/bin/python" -I -c '' 2>/dev/null; }

install_with_uv() {
    uv venv --quiet --clear --python "$python" "$venv"
    uv pip sync --quiet --python "$venv/bin/python" --require-hashes --only-binary :all: "$lock"
}

install_with_pip() {
    "$python" -m pip --version >/dev/null 2>&1 ||
        refuse "$python has no pip; run actions/setup-python before this action, or install uv"
    "$python" -m venv --clear --without-pip "$venv"
    # Not compiled: a command loads a small part of the libraries, and compiling all of them takes a third of the time.
    "$python" -m pip --python "$venv/bin/python" install --quiet --disable-pip-version-check --no-input --no-compile \
        --require-hashes --only-binary :all: --requirement "$lock"
}

find_environment() {
    local cache=false
    if ! whole && may_cache; then cache=true; fi
    printf '%s\n' "venv=$venv" "key=${venv##*/}" "cache=$cache" >>"$GITHUB_OUTPUT"
}

install_environment() {
    if whole; then return; fi
    if command -v uv >/dev/null; then install_with_uv; else install_with_pip; fi
    # The checkout's own code, found as an installed package is.
    "$venv/bin/python" -I - "$root/controller" <<'PYTHON'
import pathlib, sys, sysconfig

pathlib.Path(sysconfig.get_path("purelib"), "tidegate.pth").write_text(f"{sys.argv[1]}\n", encoding="utf-8")
PYTHON
    touch "$venv/.complete"
}

act=install_environment
if [ "$1" = find ]; then act=find_environment && shift; fi
lock="$root/actions/$1.lock"
find_python
venv="$RUNNER_TEMP/tidegate-$1-$(fingerprint)"
"$act"
