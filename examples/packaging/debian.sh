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

if [ "${1:-}" = --needs ]; then
  echo dpkg-dev build-essential
  sed -nE '/^Build-Depends:/,/^[A-Z][a-z-]*:/ { s/^Build-Depends://; /^[A-Z]/d; s/\([^)]*\)//g; s/debhelper-compat/debhelper/; s/,/ /g; p }' \
    examples/packaging/debian/control
  exit
fi
[ $# = 1 ] || fail "expected a folder to put the packages into, found $# arguments"
command -v dpkg-buildpackage >/dev/null || fail "dpkg-buildpackage is missing: apt-get install dpkg-dev debhelper"
mkdir -p "$1"
out=$(realpath "$1")
VIDI_TORCH=$(sh tests/find-torch.sh "${VIDI_TORCH:-.venv}")
export VIDI_TORCH
: "${DEBFULLNAME:=vidifilter maintainers}" "${DEBEMAIL:=maintainers@vidifilter.invalid}"
. /etc/os-release
version=$(sed -nE "s/^project\(.* version: '([^']+)'.*/\1/p" meson.build)+deb$VERSION_ID

work=$out/build
rm -rf "$work"
trap 'rm -rf "$work"' EXIT
source=$work/vidifilter
mkdir -p "$source"
tar -c --exclude=./.git --exclude='./build*' --exclude='./.venv*' --exclude="./$(realpath --relative-to=. "$out")" . | tar -x -C "$source"
cp -r examples/packaging/debian "$source/debian"

# The CUDA build of libtorch, which the Python package index has, needs two of NVIDIA's libraries: those are not free.
section=video
if readelf -d "$VIDI_TORCH/lib/libtorch_cpu.so" | grep -q 'NEEDED.*libcu'; then section=non-free/video; fi
sed -i "s|@SECTION@|$section|; s|@MAINTAINER@|$DEBFULLNAME <$DEBEMAIL>|" "$source/debian/control"
cat >"$source/debian/changelog" <<END
vidifilter ($version) unstable; urgency=medium

  * Built for $PRETTY_NAME; what changed: NEWS.

 -- $DEBFULLNAME <$DEBEMAIL>  $(date -R)
END

(cd "$source" && dpkg-buildpackage -b -us -uc)
for package in "$work"/*.deb; do
  printf '%s: %s bytes, %s KiB installed\n' "$(basename "$package")" "$(stat -c %s "$package")" "$(dpkg-deb -f "$package" Installed-Size)"
done
if command -v lintian >/dev/null; then lintian --allow-root --info --fail-on error "$work"/*.changes; else echo "lintian is not installed: not asked"; fi
mv "$work"/*.deb "$work"/*.changes "$work"/*.buildinfo "$out"
