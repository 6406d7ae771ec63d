#!/usr/bin/env bash
# Sets up, builds and runs every test. The last line is `N passed, N failed`, with `, N skipped` when some were; the exit
# status is zero only when something ran and nothing failed.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
. tests/summary.sh
trap finish EXIT

# A test that sleeps to wait for another thread passes by luck: wait for the event itself.
refuse_sleeps() {
  local pattern='(\b|_)(sleep|usleep|nanosleep|sleep_for|sleep_until) *\('
  if grep -rnE "$pattern" tests --include='*.cpp' --include='*.cu' --include='*.h' --include='*.c' --include='*.py'; then
    echo "The lines above sleep instead of waiting for what they need."
    add_counts 0 1 0
  fi
}

tests/setup.sh </dev/null
refuse_sleeps
run_meson_tests build
add_counts_of python3 tests/test_quickstart.py  # after meson's tests: it calls ninja on the same folder
