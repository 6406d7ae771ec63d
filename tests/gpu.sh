# shellcheck shell=bash
# Sourced by setup.sh: is there a GPU, and can this build use it? Asked before gigabytes are downloaded for it.
needed_driver=580     # of CUDA 13, which PyTorch 2.11.0 from the Python package index is built for
needed_capability=80  # Ampere: what our kernels are written for (tensor cores for bf16, cp.async)
needed_room_gb=9      # 3 GB of wheels, unpacked beside themselves to 6 GB

# A running GPU and its driver, not only the tool.
has_gpu() {
  command -v nvidia-smi >/dev/null && nvidia-smi -L 2>/dev/null | grep -q '^GPU '
}

# ask_gpus FIELD: its value for each GPU, a line each; nothing where the driver does not know the field.
ask_gpus() {
  { nvidia-smi --query-gpu="$1" --format=csv,noheader 2>/dev/null || true; } | grep -iv 'not a valid field' || true
}

driver_version() { ask_gpus driver_version | head -n 1; }

# The GPUs' compute capabilities as nvcc counts them ("90", "86"), each once. Some devices answer "[N/A]": not counted.
capabilities() { ask_gpus compute_cap | tr -d ' .' | grep -E '^[0-9]+$' | sort -nu || true; }

# Those of them that our kernels run on, as meson's option wants them: "90", "80,89". Of a GPU that does not tell, the oldest
# possible: its code runs on every later one.
gpu_arch() {
  local known
  known=$(capabilities)
  [ -n "$known" ] || known=$needed_capability
  echo "$known" | awk -v least=$needed_capability '$1 >= least' | paste -sd, -
}

# Whole gigabytes that are free where FOLDER is.
free_gb() { df --output=avail -B 1000000000 "$1" | tail -n 1 | tr -d ' '; }

# gpu_problem FOLDER yes|installed|"": why the GPU cannot be used, in one sentence with the way out; nothing when it can.
# The last word is whether PyTorch's CUDA libraries are still to be downloaded into FOLDER, are there, or are the user's own.
gpu_problem() {
  local folder=$1 libraries=$2 driver newest room
  newest=$(capabilities | tail -n 1)
  if [ -n "$newest" ] && [ "$newest" -lt $needed_capability ]; then
    echo "its compute capability is ${newest%?}.${newest: -1} and our kernels need" \
      "${needed_capability%?}.${needed_capability: -1} (Ampere) or newer; building for the CPU"
    return
  fi
  [ -n "$libraries" ] || return 0
  # Its library for arm64 holds sm_80, 90, 100, 110 and 120. Code for 8.0 serves later desktop GPUs, but no Jetson.
  if [ "$newest" = 87 ]; then
    echo "it is a Jetson Orin (compute capability 8.7), for which PyTorch 2.11.0 of the Python package index has no code: name" \
      "NVIDIA's own build for it (VIDI_TORCH=FOLDER tests/setup.sh); building for the CPU"
    return
  fi
  driver=$(driver_version)
  if ! [ "${driver%%.*}" -ge $needed_driver ] 2>/dev/null; then
    echo "its driver is ${driver:-of unknown version} and PyTorch 2.11.0 (CUDA 13) needs $needed_driver or newer: install a" \
      "newer driver, or name a libtorch for an older CUDA (VIDI_TORCH=FOLDER tests/setup.sh); building for the CPU"
    return
  fi
  [ "$libraries" = yes ] || return 0
  room=$(free_gb "$folder")
  if [ "$room" -lt $needed_room_gb ]; then
    echo "its libraries (PyTorch's for CUDA) need $needed_room_gb GB of disk and $folder has $room GB: make room, or name a" \
      "libtorch elsewhere (VIDI_TORCH=FOLDER tests/setup.sh); building for the CPU"
  fi
}
