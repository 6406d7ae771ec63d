#!/bin/sh
# Prints the folder that holds lib/libtorch_cpu.so under $1: a libtorch folder or a Python environment.
cd "$(dirname "$0")/.." || exit 1
for d in "$1" "$1"/lib/python3*/site-packages/torch; do
  [ -e "$d/lib/libtorch_cpu.so" ] && { cd "$d" && pwd && exit 0; }
done
echo "no libtorch under '$1': give -Dtorch_prefix=<Python environment or libtorch folder>," \
  "or let tests/run.sh set one up" >&2
exit 1
