#!/usr/bin/env bash
# What reads untrusted bytes, built without libtorch under AddressSanitizer and UndefinedBehaviorSanitizer: first its tests,
# then each fuzzer for FUZZ_SECONDS (60). The last line is `sanitizers: N passed, N failed`; a fuzzer counts as one.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
. tests/packages.sh
. tests/summary.sh
trap 'finish "sanitizers: "' EXIT

build="build-sanitize"
fuzz_seconds=${FUZZ_SECONDS:-60}
fuzzers=(safetensors config answer)
export ASAN_OPTIONS=${ASAN_OPTIONS:-detect_stack_use_after_return=1}
export UBSAN_OPTIONS=${UBSAN_OPTIONS:-halt_on_error=1:print_stacktrace=1}

install_tools() {
  need_packages "the sanitizers (clang, and what the tests build with)" clang g++ meson ninja-build pkg-config \
    libsentencepiece-dev libprotobuf-dev nlohmann-json3-dev libgtest-dev python3
  local version
  version=$(clang++ -dumpversion)
  need_packages "clang's sanitizer runtime" "libclang-rt-${version%%.*}-dev"
}

# One build for both: the fuzzers' edge counting does the tests no harm. Clang leaves the runtime's symbols to the linker
# of the program, hence b_lundef.
compile() {
  if [ ! -e $build/build.ninja ]; then
    rm -rf $build
    CXX=clang++ meson setup $build -Dengine=disabled -Dfuzz=true -Dbuildtype=debugoptimized \
      -Db_sanitize=address,undefined -Db_lundef=false -Dcpp_args=-fsanitize=fuzzer-no-link
  fi
  meson compile -C $build
}

# seeds_from NAME SIZE PREFIX FILE...: PREFIX and the first SIZE bytes of each file as one input.
seeds_from() {
  local folder=$build/corpus/$1 size=$2 prefix=$3 file
  shift 3
  for file in "$@"; do
    { printf '%b' "$prefix" && head -c "$size" "$file"; } >"$folder/seed-$(echo "$file" | tr / -)"
  done
}

# seed NAME: what the fuzzer starts from, cut from the test data; large files teach it nothing more.
seed() {
  local files answer n=0
  mkdir -p "$build/corpus/$1"
  case $1 in
    safetensors)
      mapfile -t files < <(find tests/data examples -name '*.safetensors')
      seeds_from "$1" 4096 "" "${files[@]}" ;;
    config)
      mapfile -t files < <(find tests/data examples -name 'config.json' -o -name 'tokenizer_config.json')
      seeds_from "$1" 16000 '\0' "${files[@]}" ;;  # the byte in front picks tensor shapes
    answer)
      sed -nE 's/^ *"answer": "(.*)",$/\1/p' tests/data/frontend/ranges-*.json | sort -u | while read -r answer; do
        n=$((n + 1))
        printf '%s' "$answer" >"$build/corpus/$1/seed-$n"
      done ;;
  esac
}

fuzz() {
  seed "$1"
  echo "fuzz-$1: $fuzz_seconds s"
  local log=$build/fuzz-$1.log
  if "$build/tests/fuzz-$1" "$build/corpus/$1" -max_total_time="$fuzz_seconds" -rss_limit_mb=1024 -timeout=10 \
    -max_len=16384 -print_final_stats=1 -artifact_prefix="$build/fuzz-$1-" </dev/null >"$log" 2>&1; then
    sed -nE "s/^stat::number_of_executed_units: */fuzz-$1: no crash, inputs tried: /p" "$log"
    add_counts 1 0 0
  else
    tail -n 60 "$log"
    echo "fuzz-$1: failed; the input that does it is $build/fuzz-$1-*"
    add_counts 0 1 0
  fi
}

install_tools
compile
run_meson_tests $build
for name in "${fuzzers[@]}"; do fuzz "$name"; done
