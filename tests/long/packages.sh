#!/usr/bin/env bash
# Makes the Debian packages in a root of Debian 12 and of 13, installs them in a fresh one, uses them, removes them; 25 minutes, two cores, 6 GB.
#
#   tests/long.sh packages [bookworm|trixie]...
#   VIDI_DEBS=FOLDER tests/long.sh packages bookworm      tries the packages that lie in FOLDER/bookworm
# Needs root rights, mmdebstrap and a libtorch ($VIDI_TORCH, or the one in .venv). All lies in build-packages/ until it ends.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
. tests/fresh_root.sh
. tests/summary.sh
trap 'finish "packages: "' EXIT

folder=$PWD/build-packages
suites=(bookworm trixie)
[ $# = 0 ] || suites=("$@")

# Sources and libtorch are only seen there, not copied.
make_packages() (
  torch=$(sh tests/find-torch.sh "${VIDI_TORCH:-.venv}")
  root=$folder/$1-build
  make_root "$root" "$1"
  # shellcheck disable=SC2046  # a list of names
  install_in "$root" --no-install-recommends lintian $(examples/packaging/debian.sh --needs)
  mkdir -p "$root/source" "$root/site" "$folder/debs/$1" "$root/out"
  trap 'umount -l "$root/source" "$root/site" "$root/out"; rm -rf --one-file-system "$root"' EXIT
  mount --bind -o ro "$PWD" "$root/source"
  mount --bind -o ro "$(dirname "$torch")" "$root/site"
  mount --bind "$folder/debs/$1" "$root/out"
  VIDI_TORCH=/site/$(basename "$torch") enter_root "$root" /source/examples/packaging/debian.sh /out
)

# As a new user does it, with what apt installs by itself; then the checks count.
try_packages() {
  local root=$folder/$1-fresh
  make_root "$root" "$1"
  mkdir -p "$root/debs"
  cp "${VIDI_DEBS:-$folder/debs}/$1"/*.deb tests/tools/try_package.sh examples/embed/embed.c "$root/debs"
  echo "== $1: installing"
  time install_in "$root" --install-recommends "/debs/$(cd "$root/debs" && echo gstreamer1.0-vidi_*.deb)"
  add_counts_of enter_root "$root" bash /debs/try_package.sh
  rm -rf --one-file-system "$root"
}

mkdir -p "$folder"
for suite in "${suites[@]}"; do
  [ -n "${VIDI_DEBS:-}" ] || make_packages "$suite" >"$folder/$suite.log" 2>&1 || { tail -n 30 "$folder/$suite.log"; exit 1; }
  [ -n "${VIDI_DEBS:-}" ] || sed -n '/bytes, .* KiB installed/,$p' "$folder/$suite.log"  # sizes, and what lintian says
  try_packages "$suite"
done
