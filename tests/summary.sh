# shellcheck shell=bash
# Sourced by the scripts that count: every one of them ends with one line, even when it breaks off.
passed=0 failed=0 skipped=0

# add_counts PASSED FAILED SKIPPED
add_counts() {
  passed=$((passed + $1)) failed=$((failed + $2)) skipped=$((skipped + $3))
}

# "N passed, N failed" or "N passed, N failed, N skipped"
summary() {
  if [ "$skipped" -gt 0 ]; then
    echo "$passed passed, $failed failed, $skipped skipped"
  else
    echo "$passed passed, $failed failed"
  fi
}

# add_counts_of COMMAND...: runs it in full view, then adds the counts of its last line. One without such a line has failed.
add_counts_of() {
  local log line status=0
  log=$(mktemp)
  "$@" 2>&1 </dev/null | tee "$log" || status=$?
  line=$(tail -n 1 "$log")
  rm -f "$log"
  if [[ $line =~ ([0-9]+)\ passed,\ ([0-9]+)\ failed(,\ ([0-9]+)\ skipped)?$ ]]; then
    add_counts "${BASH_REMATCH[1]}" "${BASH_REMATCH[2]}" "${BASH_REMATCH[4]:-0}"
  else
    add_counts 0 1 0
  fi
  if [ "$status" != 0 ] && [ "$failed" = 0 ]; then failed=1; fi
}

# run_meson_tests BUILD_FOLDER [ARGUMENT...]: runs all tests, or as the arguments of `meson test` say, and adds their counts.
run_meson_tests() {
  local build=$1 status=0 counts
  shift
  rm -f "$build"/*.xml "$build"/meson-logs/testlog.*  # a program that crashes must not be judged by an old report
  meson test -C "$build" --no-rebuild --print-errorlogs "$@" </dev/null || status=$?
  counts=$(python3 tests/count_tests.py "$build") || counts="0 1 0"
  # shellcheck disable=SC2086  # three numbers
  add_counts $counts
  if [ "$status" != 0 ] && [ "$failed" = 0 ]; then failed=1; fi
}

# For `trap ... EXIT`: what broke off counts as a failure; nothing run is no success.
finish() {
  local status=$?
  if [ "$status" != 0 ] && [ "$failed" = 0 ]; then failed=1; fi
  echo "${1:-}$(summary)"
  if [ "$failed" = 0 ] && [ "$passed" -gt 0 ]; then exit 0; else exit 1; fi
}
