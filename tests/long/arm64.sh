#!/usr/bin/env bash
# Cross-builds for arm64 and runs the suites in emulation (qemu); half an hour to build, an hour to run, two cores.
#
# Everything lies in build-arm64/ and is made when it is missing: a Debian root of the host's own release, libtorch, the
# cross file, the build. Suites that are named are run instead: tests/long.sh arm64 kernels golden
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
. tests/packages.sh
. tests/summary.sh
trap 'finish "arm64: "' EXIT

folder=$PWD/build-arm64
root=$folder/root
triplet=aarch64-linux-gnu
suites=(text files signals memory stream gst-parts element results sound pads skew decode kernels golden)
[ $# = 0 ] || suites=("$@")

release() {
  . /etc/os-release
  case $VERSION_CODENAME in
    bookworm | trixie) echo "$VERSION_CODENAME" ;;
    *) echo "tests/long.sh arm64 needs Debian 12 or 13, found $PRETTY_NAME" >&2; return 1 ;;
  esac
}

# Unpacked only: nothing in it is run but what the tests load.
make_root() {
  [ ! -e "$root.done" ] || return 0
  echo "Unpacking a Debian root for arm64 (1 GB)"
  rm -rf "$root"
  mmdebstrap --quiet --arch=arm64 --variant=extract --skip=check/qemu --include="$(
    echo libgstreamer1.0-dev libgstreamer-plugins-base1.0-dev libgstrtspserver-1.0-dev libsentencepiece-dev \
      libprotobuf-dev nlohmann-json3-dev libgtest-dev gstreamer1.0-plugins-base gstreamer1.0-plugins-good \
      gstreamer1.0-libav | tr ' ' ,)" "$(release)" "$root"
  # What a package's script would have linked.
  local library
  for library in blas/libblas.so.3 lapack/liblapack.so.3; do
    ln -sf "$library" "$root/usr/lib/$triplet/$(basename "$library")"
  done
  touch "$root.done"
}

# As tests/setup.sh has it for this machine.
make_torch() {
  [ ! -e "$folder/torch.done" ] || return 0
  echo "Downloading PyTorch 2.11.0 for arm64 (0.4 GB)"
  rm -rf "$folder/pip" "$folder/wheels" "$folder/site-packages"
  python3 -m venv "$folder/pip"
  "$folder/pip/bin/python" -m pip download --quiet --disable-pip-version-check --no-input --no-deps --only-binary=:all: \
    --python-version 3.11 --platform manylinux_2_28_aarch64 --platform manylinux_2_25_aarch64 \
    --platform manylinux2014_aarch64 --dest "$folder/wheels" \
    torch==2.11.0 nvidia-cuda-runtime==13.0.96 nvidia-cuda-cupti==13.0.85
  for wheel in "$folder"/wheels/*.whl; do python3 -m zipfile -e "$wheel" "$folder/site-packages"; done
  rm -rf "$folder/pip" "$folder/wheels"
  touch "$folder/torch.done"
}

# qemu takes a file from the root where it has one, else from this machine: sources and test data. GStreamer looks at
# plugins in a process of its own, which this machine could not start.
write_cross_file() {
  cat >"$folder/cross.txt" <<END
[binaries]
cpp = '$triplet-g++'
ar = '$triplet-ar'
strip = '$triplet-strip'
pkgconfig = 'pkg-config'
exe_wrapper = ['qemu-aarch64-static', '-L', '$root', '-E', 'GST_REGISTRY=$folder/registry.bin', '-E', 'GST_REGISTRY_FORK=no']

[properties]
sys_root = '$root'
pkg_config_libdir = '$root/usr/lib/$triplet/pkgconfig:$root/usr/share/pkgconfig'

[built-in options]
cpp_args = ['--sysroot=$root']
cpp_link_args = ['--sysroot=$root']

[host_machine]
system = 'linux'
cpu_family = 'aarch64'
cpu = 'armv8-a'
endian = 'little'
END
}

build() {
  write_cross_file
  if [ ! -e "$folder/build/build.ninja" ]; then
    rm -rf "$folder/build"
    meson setup "$folder/build" --cross-file "$folder/cross.txt" -Dcuda=disabled \
      -Dtorch_prefix="$folder/site-packages/torch"
  fi
  meson compile -C "$folder/build"
}

# The program says what it has found, and nothing else.
ask_quietly() {
  echo "Asking the bundled model, in emulation"
  local said found
  said=$(mktemp)
  found=$(qemu-aarch64-static -L "$root" -E GST_REGISTRY="$folder/registry.bin" -E GST_REGISTRY_FORK=no \
    -E GST_PLUGIN_PATH="$folder/build/gst" -E LD_LIBRARY_PATH="$folder/build/gst" \
    "$folder/build/examples/vidi-ask" --quiet examples/demo/clip.mp4 "a dog" 2>"$said") || true
  echo "$found"
  cat "$said"
  if [[ $found == *"a dog  0:1"* && ! -s $said ]]; then add_counts 1 0 0; else add_counts 0 1 0; fi
  rm -f "$said"
}

release >/dev/null
need_packages "the cross build (compiler for arm64, its emulation, and what unpacks a root)" \
  g++-$triplet qemu-user-static mmdebstrap meson ninja-build pkg-config python3-venv ca-certificates
mkdir -p "$folder"
make_root
make_torch
build
run_meson_tests "$folder/build" --timeout-multiplier 30 "${suites[@]}"
[ $# != 0 ] || ask_quietly
