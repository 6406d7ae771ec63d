#!/usr/bin/env bash
# Makes Debian packages for the Debian (12 or 13) that it runs on: gstreamer1.0-vidi, with what is not in Debian inside (the CPU's half
# of libtorch, in a private folder), and vidi-dev. Says their sizes and what lintian says, if that is installed.
#
#   examples/packaging/debian.sh OUT            packages go to the folder OUT; libtorch is the one in .venv (tests/setup.sh gets it)
#   VIDI_TORCH=FOLDER examples/packaging/debian.sh OUT
#   examples/packaging/debian.sh --needs        prints the Debian packages that this takes
#   DEBFULLNAME=... DEBEMAIL=... name who makes them
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

fail() {
  echo "debian.sh: $*" >&2
  exit 1
}

print_needs() {
  echo dpkg-dev build-essential
  sed -nE '/^Build-Depends:/,/^[A-Z][a-z-]*:/ { s/^Build-Depends://; /^[A-Z]/d; s/\([^)]*\)//g; s/debhelper-compat/debhelper/; s/,/ /g; p }' \
    examples/packaging/debian/control
}

# copy_sources FOLDER: without what was built.
copy_sources() {
  mkdir -p "$1"
  tar -c --exclude=./.git --exclude='./build*' --exclude='./.venv*' --exclude="./$(realpath --relative-to=. "$out")" . | tar -x -C "$1"
}

# write_debian FOLDER: the folder debian/, for this libtorch and this Debian.
write_debian() {
  local section=video version
  : "${DEBFULLNAME:=vidifilter maintainers}" "${DEBEMAIL:=maintainers@vidifilter.invalid}"
  # The CUDA build of libtorch, which the Python package index has, needs two of NVIDIA's libraries: those are not free.
  if readelf -d "$VIDI_TORCH/lib/libtorch_cpu.so" | grep 'NEEDED.*libcu' >/dev/null; then section=non-free/video; fi
  . /etc/os-release
  version=$(sed -nE "s/^project\(.* version: '([^']+)'.*/\1/p" meson.build)+deb$VERSION_ID
  cp -r examples/packaging/debian "$1"
  sed -i "s|@SECTION@|$section|; s|@MAINTAINER@|$DEBFULLNAME <$DEBEMAIL>|" "$1/control"
  cat >"$1/changelog" <<END
vidifilter ($version) unstable; urgency=medium

  * Built for $PRETTY_NAME; what changed: NEWS.

 -- $DEBFULLNAME <$DEBEMAIL>  $(date -R)
END
}

# Sizes, and what lintian says: an error of it is one of this script.
judge() {
  local package
  for package in "$@"; do
    printf '%s: %s bytes, %s KiB installed\n' "$(basename "$package")" "$(stat -c %s "$package")" "$(dpkg-deb -f "$package" Installed-Size)"
  done
  if ! command -v lintian >/dev/null; then
    echo "lintian is not installed: not asked"
    return
  fi
  lintian --allow-root --info --fail-on error "$@"
}

main() {
  [ $# = 1 ] || fail "expected a folder to put the packages into, found $# arguments"
  if [ "$1" = --needs ]; then print_needs && return; fi
  command -v dpkg-buildpackage >/dev/null || fail "dpkg-buildpackage is missing: apt-get install $(print_needs | xargs)"
  local given=${VIDI_TORCH:-.venv}
  VIDI_TORCH=$(sh tests/find-torch.sh "$given" 2>/dev/null) ||
    fail "no libtorch in '$given': tests/setup.sh gets one, VIDI_TORCH=FOLDER names another"
  mkdir -p "$1"
  out=$(realpath "$1")
  export VIDI_TORCH
  work=$out/build
  rm -rf "$work"
  trap 'rm -rf "$work"' EXIT
  copy_sources "$work/vidifilter"
  write_debian "$work/vidifilter/debian"
  (cd "$work/vidifilter" && dpkg-buildpackage -b -us -uc)
  local packages=("$work"/*.deb)
  mv "${packages[@]}" "$out"
  judge "${packages[@]/#"$work"/"$out"}"
}

main "$@"; exit # on one line: what is read later may have changed by then
