# shellcheck shell=bash
# Sourced by scripts of tests/long: Debian roots in which nothing is installed. Needs root rights and mmdebstrap.

# make_root FOLDER SUITE: with apt's and pip's settings and the certificates of this machine, which may be behind a proxy; nothing else.
make_root() {
  local root=$1 suite=$2 name
  command -v mmdebstrap >/dev/null || { echo "expected mmdebstrap: apt-get install mmdebstrap" >&2; return 1; }
  [ "$(id -u)" = 0 ] || { echo "expected root rights, which chroot needs" >&2; return 1; }
  if [ ! -e "$root/etc" ]; then mmdebstrap --quiet --variant=minbase --include=ca-certificates "$suite" "$root"; fi
  for name in /etc/apt/apt.conf.d/*; do
    if ! dpkg-query -S "$name" >/dev/null 2>&1 && [[ $name != *docker* ]]; then cp "$name" "$root/etc/apt/apt.conf.d/"; fi
  done
  cp -rL /etc/ssl/certs "$root/etc/ssl/" 2>/dev/null || true
  for name in resolv.conf pip.conf; do
    if [ -e "/etc/$name" ]; then cp -L "/etc/$name" "$root/etc/"; fi
  done
  enter_root "$root" apt-get update -qq
}

# enter_root FOLDER COMMAND...: with a clean environment, and /dev, /proc and /sys while it runs.
enter_root() (
  root=$1
  shift
  trap 'umount -l "$root/sys" "$root/proc" "$root/dev" 2>/dev/null' EXIT
  mount --bind /dev "$root/dev"
  mount -t proc proc "$root/proc"
  mount --bind /sys "$root/sys"
  env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8 DEBIAN_FRONTEND=noninteractive \
    ${DEB_BUILD_OPTIONS:+DEB_BUILD_OPTIONS="$DEB_BUILD_OPTIONS"} ${VIDI_TORCH:+VIDI_TORCH="$VIDI_TORCH"} \
    ${CCACHE_DIR:+CCACHE_DIR="$CCACHE_DIR"} chroot "$root" "$@" </dev/null
)

# install_in FOLDER PACKAGE...
install_in() {
  enter_root "$1" apt-get install -y -qq -o Dpkg::Options::=--force-confold "${@:2}" >"$1/install.log" 2>&1 ||
    { tail -n 20 "$1/install.log"; return 1; }
  rm "$1/install.log"
}
