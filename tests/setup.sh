#!/usr/bin/env bash
# Makes a fresh Debian 12, Debian 13 or Ubuntu 24.04 ready, then builds into build/. Says what it installs before it does, and
# how long each step took; does nothing twice, and needs no network when nothing is missing.
#
#   tests/setup.sh                     everything: engine, element, examples, tests
#   tests/setup.sh TARGET...           these targets of the build alone, and no packages that only tests need
#   VIDI_TORCH=/path tests/setup.sh    uses the libtorch of that Python environment or libtorch folder
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
. tests/packages.sh
. tests/gpu.sh

# timed NAME COMMAND...: says how long it took, unless it had nothing to do.
timed() {
  local name=$1 start=$SECONDS
  shift
  "$@"
  [ $((SECONDS - start)) -lt 2 ] || echo "  $name: $((SECONDS - start)) s"
}

# has_wheel NAME VERSION: in .venv, as pip left it.
has_wheel() {
  compgen -G ".venv/lib/python3*/site-packages/$1-$2*.dist-info" >/dev/null
}

make_venv() {
  if ! .venv/bin/python -m pip --version >/dev/null 2>&1; then
    rm -rf .venv
    python3 -m venv .venv
  fi
}

pip_install() {
  .venv/bin/python -m pip install --quiet --disable-pip-version-check --no-input "$@"
}

# Without its dependencies: libtorch_cpu needs these two alone, the rest serves CUDA and Python.
install_torch() {
  has_wheel torch 2.11.0 && has_wheel nvidia_cuda_runtime 13.0.96 &&
    has_wheel nvidia_cuda_cupti 13.0.85 && return
  echo "Installing PyTorch 2.11.0 into .venv for its C++ library, libtorch (1.3 GB, once)"
  make_venv
  pip_install --no-deps torch==2.11.0 nvidia-cuda-runtime==13.0.96 nvidia-cuda-cupti==13.0.85
}

has_cuda_libraries() {
  has_wheel nvidia_cublas "" && has_wheel nvidia_cudnn_cu13 "" && has_wheel nvidia_nccl_cu13 ""
}

# Those that this torch asks for, in its own words; triton serves Python alone.
install_cuda_libraries() {
  has_cuda_libraries && return
  local wanted
  mapfile -t wanted < <(sed -nE 's/^Requires-Dist: ((cuda-toolkit|nvidia-)[^;]*[^; ]).*/\1/p' \
    .venv/lib/python3*/site-packages/torch-2.11.0*.dist-info/METADATA)
  echo "Found a GPU. Installing the CUDA libraries of PyTorch 2.11.0 into .venv (2 to 3 GB, once)"
  make_venv
  pip_install "${wanted[@]}"
}

# The compiler of our own kernels: an installed toolkit's, else as wheels, where meson looks for it too.
install_nvcc() {
  command -v nvcc >/dev/null || [ -x /usr/local/cuda/bin/nvcc ] || has_wheel nvidia_cuda_nvcc 13.0.88 && return
  echo "Found a GPU and no CUDA toolkit. Installing NVIDIA's compiler into .venv (100 MB, once)"
  make_venv
  pip_install --no-deps nvidia-cuda-nvcc==13.0.88 nvidia-nvvm==13.0.88 nvidia-cuda-crt==13.0.88 \
    nvidia-cuda-cccl==13.0.85 nvidia-cuda-runtime==13.0.96
}

# is_complete LIBRARY: it is there and finds every library that it needs.
is_complete() {
  [ -e "$1" ] && [[ $(ldd "$1") != *"not found"* ]]
}

# Jobs by memory as well as by cores: a file that includes libtorch takes the compiler up to 2 GB.
n_jobs() {
  local by_memory cores
  by_memory=$(awk '/^MemAvailable/ {print int($2 / 2000000)}' /proc/meminfo)
  cores=$(nproc)
  echo $((by_memory < 1 ? 1 : by_memory < cores ? by_memory : cores))
}

# What the build found when it was configured: with other optional libraries it has to look again.
optional_libraries() {
  local name
  for name in gstreamer-cuda-1.0 gstreamer-analytics-1.0; do
    echo "$name=$(pkg-config --modversion "$name" 2>/dev/null || echo none)"
  done
}

# Configures build/ unless it is, with the same answers. Edited meson.build files are ninja's own affair.
configure() {
  local answers
  answers="$* $(optional_libraries)"
  [ -e build/build.ninja ] && [ "$(cat build/vidi-setup.txt 2>/dev/null)" = "$answers" ] && return
  if [ -e build/build.ninja ]; then
    meson setup --reconfigure build "$@"
  else
    rm -rf build/meson-private  # of a set-up that failed halfway
    meson setup build "$@"
  fi
  echo "$answers" >build/vidi-setup.txt
}

# Compiles what has changed; the first time takes minutes and says so.
compile() {
  [ -e build/gst/libgstvidi.so ] || echo "Compiling into build/ (some minutes, once)"
  meson compile -C build -j "$(n_jobs)" "$@"
}

# gpu_is_usable: there is one, and nothing speaks against it; says what does.
gpu_is_usable() {
  local problem needs_room=yes
  has_gpu || return 1
  if [ -n "${VIDI_TORCH:-}" ]; then needs_room=""; elif has_cuda_libraries; then needs_room=installed; fi
  problem=$(gpu_problem "$PWD" "$needs_room")
  [ -n "$problem" ] || return 0
  echo "Found a GPU, but $problem"
  return 1
}

use_gpu=no
if gpu_is_usable; then use_gpu=yes; fi

# The build file names the tests' libraries too, so that one configured folder serves both commands of the README.
timed "packages for the build" need_packages \
  "the build (compiler, meson, headers of GStreamer, tokenizer, JSON and GoogleTest, Python for PyTorch's wheels)" \
  g++ meson ninja-build pkg-config libgstreamer1.0-dev libgstreamer-plugins-base1.0-dev libgstrtspserver-1.0-dev \
  libsentencepiece-dev libprotobuf-dev nlohmann-json3-dev libgtest-dev python3-venv ca-certificates

# While packages for media come from one place, the wheels come from another.
torch_job=
if [ -z "${VIDI_TORCH:-}" ]; then
  timed "PyTorch" install_torch &
  torch_job=$!
  trap 'kill "$torch_job" 2>/dev/null || true' EXIT
fi
timed "packages for media" need_packages "reading video files and cameras (GStreamer's demuxers, decoders and gst-launch-1.0)" \
  gstreamer1.0-tools gstreamer1.0-plugins-base gstreamer1.0-plugins-good gstreamer1.0-plugins-bad gstreamer1.0-libav
if [ $# = 0 ]; then
  timed "packages for tests" need_packages "the tests (text over pictures, films of x264, GStreamer from Python)" \
    gstreamer1.0-x gstreamer1.0-plugins-ugly python3-gi gir1.2-gst-plugins-base-1.0
fi
if [ $# = 0 ] || [ $use_gpu = yes ]; then
  timed "packages for GPU memory" need_packages "pictures that stay in GPU memory (GStreamer's CUDA headers)" \
    libgstreamer-plugins-bad1.0-dev
fi
if [ -n "$torch_job" ]; then
  wait "$torch_job"
  trap - EXIT
fi

torch_prefix=$PWD/.venv
if [ -n "${VIDI_TORCH:-}" ]; then
  torch_prefix=$(realpath "$VIDI_TORCH")
elif [ $use_gpu = yes ]; then
  timed "CUDA libraries" install_cuda_libraries
fi
torch_dir=$(sh tests/find-torch.sh "$torch_prefix")
answers=(-Dtorch_prefix="$torch_dir" -Dcuda=disabled)
if [ $use_gpu = yes ] && is_complete "$torch_dir/lib/libtorch_cuda.so"; then
  [ -n "${VIDI_TORCH:-}" ] || timed "NVIDIA's compiler" install_nvcc
  answers=(-Dtorch_prefix="$torch_dir" -Dcuda=enabled -Dgpu_arch="$(gpu_arch)")
fi

configure "${answers[@]}"
timed "compiling" compile "$@"
