#!/usr/bin/env bash
# Sets up, builds and runs every test. The last line is `N passed, N failed`, with `, N skipped` when some were; the exit
# status is zero only when something ran and nothing failed.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
. tests/summary.sh
trap finish EXIT

# What meson left out for want of a library would otherwise pass unseen. The table of tests/README.md is the list.
refuse_missing_suites() {
  local name
  while read -r name; do
    echo "The suite $name is built or in the table of tests/README.md, expected both; see build/meson-logs/meson-log.txt."
    add_counts 0 1 0
  done < <(comm -3 <(sed -nE '/^\| suite/,$ s/^\| (`[^|]*`) \|.*/\1/p' tests/README.md | grep -oE '[a-z-]+' | sort) \
    <(meson test -C build --list 2>/dev/null | grep -oE '[a-z-]+$' | sort) | tr -d '\t')
}

tests/setup.sh </dev/null
refuse_missing_suites
run_meson_tests build
add_counts_of python3 tests/test_quickstart.py  # after meson's tests: it calls ninja on the same folder
