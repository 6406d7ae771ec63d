#!/usr/bin/env bash
# Builds the image of the container file with buildah, on a Debian root of its own, and runs it: 15 minutes, two cores, 8 GB.
#
#   tests/long.sh container [trixie|bookworm]
#   VIDI_DEBS=FOLDER tests/long.sh container trixie      only the last stage, with the packages in FOLDER/trixie; 3 minutes
# Needs root rights, mmdebstrap and buildah. All lies in build-container/ until it ends; no image of this machine is touched.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
. tests/fresh_root.sh
. tests/summary.sh
folder=$PWD/build-container
suite=${1:-trixie}
storage=(--root "$folder/storage" --runroot "$folder/run" --storage-driver vfs)

end() {
  local status=$?
  set +e
  buildah "${storage[@]}" rm --all >/dev/null 2>&1
  rm -rf --one-file-system "$folder"
  (exit $status)
  finish "container: "
}
trap end EXIT

# The name that the container file says, made here: no registry is asked.
make_base_image() {
  make_root "$folder/base" "$suite"
  # The machine's settings are there already, if it has any.
  [ -e "$folder/base/etc/pip.conf" ] || printf '[global]\ncert = /etc/ssl/certs/ca-certificates.crt\n' >"$folder/base/etc/pip.conf"
  local container
  container=$(buildah "${storage[@]}" from scratch)
  buildah "${storage[@]}" add --quiet "$container" "$folder/base" / >/dev/null
  buildah "${storage[@]}" commit --quiet --rm "$container" "docker.io/library/debian:$suite-slim" >/dev/null
  rm -rf --one-file-system "$folder/base"
}

# run_image PATTERN COMMAND...: as its user, by its entry point.
run_image() {
  local pattern=$1 said
  shift
  said=$(buildah "${storage[@]}" run --isolation chroot "$container" -- /usr/local/bin/container-entry "$@" 2>&1 </dev/null) || true
  echo "$said"
  if grep -qE "$pattern" <<<"$said"; then add_counts 1 0 0; else add_counts 0 1 0; fi
}

mkdir -p "$folder"
make_base_image
file=examples/packaging/Containerfile given=()
if [ -n "${VIDI_DEBS:-}" ]; then
  sed '/ AS build$/,/^RUN VIDI_TORCH/d' "$file" >"$folder/Containerfile"
  mkdir -p "$folder/given/packages"
  cp "$VIDI_DEBS/$suite"/*.deb "$folder/given/packages"
  file=$folder/Containerfile given=(--build-context "build=$folder/given")
fi
time buildah "${storage[@]}" bud --isolation chroot --pull-never --build-arg "DEBIAN=$suite" --tag vidifilter "${given[@]}" --file "$file" . </dev/null
container=$(buildah "${storage[@]}" from --pull-never vidifilter)
buildah "${storage[@]}" images
buildah "${storage[@]}" inspect --type image --format '{{.OCIv1.Config}}' vidifilter
run_image '^a dog +0:1[123]' demo
run_image '^a dog +0:1[123]' vidi-ask /usr/share/vidi/clip.mp4 "a dog"
run_image '^vidi$' id -un
run_image 'Redistribution and use' zcat /usr/share/doc/gstreamer1.0-vidi/libtorch.txt.gz >/dev/null
