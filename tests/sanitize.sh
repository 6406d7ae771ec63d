#!/usr/bin/env bash
# What a plain run of the tests cannot see. The last line is `sanitizers: N passed, N failed`.
#   1. All torch-free suites under AddressSanitizer and UndefinedBehaviorSanitizer, the element with its scripted engine too.
#   2. Each fuzzer for FUZZ_SECONDS (60), in the same build; a fuzzer counts as one.
#   3. The stream's logic under ThreadSanitizer. Not the element: GLib's locks are futexes that ThreadSanitizer cannot see.
#   4. The element's suites under GStreamer's leak tracer, criticals being fatal, in the normal build.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
. tests/packages.sh
. tests/summary.sh
trap 'finish "sanitizers: "' EXIT

build="build-sanitize"
thread_build="build-thread"
fuzz_seconds=${FUZZ_SECONDS:-60}
fuzzers=(safetensors config answer tags text timeline containers tracks)
plain_suites=(text files signals memory stream export-parts page-parts)
element_suites=(gst-parts element results sound pads skew rtsp)
export ASAN_OPTIONS=${ASAN_OPTIONS:-detect_stack_use_after_return=1}
export UBSAN_OPTIONS=${UBSAN_OPTIONS:-halt_on_error=1:print_stacktrace=1}
export LSAN_OPTIONS=${LSAN_OPTIONS:-suppressions=$PWD/tests/lsan.supp:print_suppressions=0}

install_tools() {
  need_packages "the sanitizers (clang and its runtime)" clang
  local version
  version=$(clang++ -dumpversion)
  need_packages "clang's sanitizer runtime" "libclang-rt-${version%%.*}-dev"
}

# clang_build FOLDER SANITIZER MESON-OPTION...: clang leaves the runtime's symbols to the linker of the program, hence b_lundef.
clang_build() {
  local folder=$1 sanitizer=$2
  shift 2
  if [ ! -e "$folder/build.ninja" ]; then
    rm -rf "$folder"
    CXX=clang++ meson setup "$folder" -Dengine=disabled -Dbuildtype=debugoptimized -Db_sanitize="$sanitizer" \
      -Db_lundef=false "$@"
  fi
}

# One build for tests and fuzzers: the fuzzers' edge counting does the tests no harm.
build_address() {
  clang_build $build address,undefined -Dfuzz=true -Dcpp_args=-fsanitize=fuzzer-no-link
  meson compile -C $build
}

# GStreamer looks at new plugins in a process of its own, which has no sanitizer and could not load ours: this registry
# knows those of the system already, and ours is loaded by the test itself. Debian's libraries keep no frame pointers: only the
# slow way to unwind a stack sees through them, for tests/lsan.supp.
test_address() {
  export GST_REGISTRY=$PWD/$build/registry.bin
  rm -f "$GST_REGISTRY"
  gst-inspect-1.0 fakesink >/dev/null
  ASAN_OPTIONS=$ASAN_OPTIONS:fast_unwind_on_malloc=0 GST_REGISTRY_FORK=no G_SLICE=always-malloc \
    VIDI_HAND_SECONDS=40 run_meson_tests $build --timeout-multiplier 3 "${plain_suites[@]}" "${element_suites[@]}" decode random-hand
  unset GST_REGISTRY
}

test_threads() {
  clang_build $thread_build thread
  meson compile -C $thread_build test-stream
  run_meson_tests $thread_build --timeout-multiplier 3 stream
}

# Without the suite `decode`: what a file is, GStreamer finds out with factories that it never frees.
test_leaks() {
  GST_TRACERS=leaks G_DEBUG=fatal-criticals VIDI_HAND_SECONDS=20 run_meson_tests build "${element_suites[@]}" random-hand
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
      seeds_from "$1" 16000 '\0' "${files[@]}"  # the byte in front picks tensor shapes
      printf '\0{"hidden_size": NaN, "rope_theta": -Infinity, "rms_norm_eps": "1e-6", "vocab_size": 1e400}' \
        >"$build/corpus/$1/seed-numbers" ;;
    answer)
      sed -nE 's/^ *"answer": "(.*)",$/\1/p' tests/data/frontend/ranges-*.json | sort -u | while read -r answer; do
        n=$((n + 1))
        printf '%s' "$answer" >"$build/corpus/$1/seed-$n"
      done ;;
    tags)
      for answer in rotate-0 rotate-90 flip-rotate-270 "a film"; do
        n=$((n + 1))
        printf '\1taglist, image-orientation=(string)"%s";\n\2taglist, title=(string)x;' "$answer" >"$build/corpus/$1/seed-$n"
      done ;;
    timeline)
      # A frame, then sound, a gap, an end: any bytes are a stream.
      mapfile -t files < <(find examples/demo -name '*.mp4')
      seeds_from "$1" 600 '\0' "${files[@]}" ;;
    text)
      printf 'a --> b\r\n\033[2J rtsp://a:b@c/d\0user\0word\0live?token=x' >"$build/corpus/$1/seed-uri"
      printf 'http://cam/a.cgi?pwd=x y\377\302\205\0\0\0/#@:' >"$build/corpus/$1/seed-odd" ;;
    tracks)
      printf '2\n\013en\n\011de\n\016\n\030fr' >"$build/corpus/$1/seed-numbers"
      printf 'German\n\011ger\n\017und' >"$build/corpus/$1/seed-names" ;;
    containers)
      # The header of the clip from its type on, and five packets that begin a picture.
      python3 - "$build/corpus/$1" <<'END'
import pathlib, sys
folder, clip = pathlib.Path(sys.argv[1]), pathlib.Path("examples/demo/clip.mp4").read_bytes()
at = clip.index(b"moov") - 4
(folder / "seed-header").write_bytes(clip[at:at + int.from_bytes(clip[at:at + 4], "big")])
(folder / "seed-packets").write_bytes((bytes.fromhex("47410010000001e0000080800521000b7741") + bytes(170)) * 5)
END
      ;;
  esac
}

fuzz() {
  seed "$1"
  echo "fuzz-$1: $fuzz_seconds s"
  local log=$build/fuzz-$1.log options=$ASAN_OPTIONS
  if [[ $1 = tags || $1 = tracks || $1 = text ]]; then options+=:detect_leaks=0; fi  # GLib keeps every name that it has heard
  if ASAN_OPTIONS=$options "$build/tests/fuzz-$1" "$build/corpus/$1" -max_total_time="$fuzz_seconds" -rss_limit_mb=1024 -timeout=10 \
    -max_len=16384 -print_final_stats=1 -artifact_prefix="$build/fuzz-$1-" </dev/null >"$log" 2>&1; then
    sed -nE "s/^stat::number_of_executed_units: */fuzz-$1: no crash, inputs tried: /p" "$log"
    add_counts 1 0 0
  else
    tail -n 60 "$log"
    echo "fuzz-$1: failed; the input that does it is $build/fuzz-$1-*"
    add_counts 0 1 0
  fi
}

tests/setup.sh </dev/null
install_tools
build_address
test_address
for name in "${fuzzers[@]}"; do fuzz "$name"; done
test_threads
test_leaks
