#!/usr/bin/env bash
# Makes the Python environments that the benchmarks compare with, in benchmarks/.reference: volara, daisy2, storage and bioimage.
# What is already there and complete is left alone; anything else is made again.
#
#   benchmarks/reference/make-environment.sh [FOLDER]
#
# FOLDER (default: benchmarks/.reference) may be elsewhere; tell the benchmarks with BLOCKWRIGHT_REFERENCE=FOLDER.
# PYTHON names the interpreter (default: python3), which must be 3.11 or later.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
folder=${1:-$here/../.reference}
python=${PYTHON:-python3}

fail() {
  echo "make-environment: $1" >&2
  exit 2
}

command -v "$python" > /dev/null ||
  fail "$python is missing. Install it (on Debian or Ubuntu: apt-get install python3 python3-venv), or name another with PYTHON=..."
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
  fail "$python is $("$python" --version 2>&1); Python 3.11 or later is needed. Name another with PYTHON=..."
"$python" -c 'import ensurepip, venv' 2> /dev/null ||
  fail "$python has no venv module. Install it (on Debian or Ubuntu: apt-get install python3-venv)."

for name in volara daisy2 storage bioimage; do
  requirements=$here/requirements-$name.txt
  environment=$folder/$name
  if cmp -s "$requirements" "$environment/made-from.txt"; then
    echo "make-environment: $name is there"
    continue
  fi
  echo "make-environment: making $environment"
  rm -rf "$environment"
  mkdir -p "$folder"
  "$python" -m venv "$environment"
  "$environment/bin/python" -m pip install --quiet --disable-pip-version-check -r "$requirements" ||
    fail "pip could not install $requirements (see above). Is there a network, and a wheel for this Python?"
  cp "$requirements" "$environment/made-from.txt"
done
echo "make-environment: done"
