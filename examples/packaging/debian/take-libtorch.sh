#!/bin/sh
# take-libtorch.sh TORCH FOLDER: copies into FOLDER, which holds libvidi.so, every library of libtorch that it needs, and what those need of
# the wheels beside libtorch (CUDA's runtime and profiler, where libtorch was built with CUDA). OpenMP is the system's.
set -eu
torch=$1 folder=$2

needed() {
  readelf -d "$1" | sed -nE 's/.*\(NEEDED\).*\[(.*)\]/\1/p'
}

# Prints where the library lies, if it comes with libtorch.
find_library() {
  for place in "$torch/lib/$1" "$torch"/../nvidia/*/lib/"$1"; do
    if [ -e "$place" ]; then echo "$place"; return; fi
  done
}

take() {
  for name in $(needed "$1"); do
    found=$(find_library "$name")
    case $name in libgomp*) continue ;; esac
    if [ -z "$found" ] || [ -e "$folder/$name" ]; then continue; fi
    install -m 644 "$found" "$folder/$name"
    case $found in
      "$torch"/lib/*) # NVIDIA's stay as they are: they need nothing of this folder
        strip --strip-unneeded "$folder/$name"
        patchelf --set-rpath '$ORIGIN' "$folder/$name"
        ;;
    esac
    take "$folder/$name"
  done
}

take "$folder/libvidi.so"
