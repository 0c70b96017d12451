#!/usr/bin/env bash
# Puts what a model's training needs into an environment of its own: install-training.sh LOCK FOLDER
# A lock file with hashes is held to them; without a lock file the environment is an empty one.
set -euo pipefail
lock=$1 folder=$2
if [ ! -e "$lock" ]; then lock=/dev/null; fi

hashes=()
if grep --quiet -e '--hash=' "$lock"; then hashes=(--require-hashes); fi
python -m venv "$folder"
"$folder/bin/python" -m pip install --quiet --disable-pip-version-check "${hashes[@]}" --requirement "$lock"
