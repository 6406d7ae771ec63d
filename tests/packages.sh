# shellcheck shell=bash
# Sourced by the set-up scripts: system packages, installed only where missing, announced first.

# need_packages WHY PACKAGE... ; does nothing, and needs no network, when all are there.
need_packages() {
  local why=$1 missing=() name
  shift
  if ! command -v dpkg-query >/dev/null; then
    echo "This is no Debian or Ubuntu: please see to $why yourself: $*"
    return
  fi
  for name in "$@"; do
    [ "$(dpkg-query -W -f='${db:Status-Status}' "$name" 2>/dev/null)" = installed ] || missing+=("$name")
  done
  [ ${#missing[@]} -gt 0 ] || return 0

  echo "Installing packages for $why: ${missing[*]}"
  local apt=(apt-get -o DPkg::Lock::Timeout=300)
  if [ "$(id -u)" != 0 ]; then
    if ! command -v sudo >/dev/null; then
      echo "Please run this as root, then start again: apt-get update &&" \
        "apt-get install -y ${missing[*]}" >&2
      return 1
    fi
    apt=(sudo env DEBIAN_FRONTEND=noninteractive "${apt[@]}")
  fi
  DEBIAN_FRONTEND=noninteractive "${apt[@]}" update -qq
  DEBIAN_FRONTEND=noninteractive "${apt[@]}" install -y -qq --no-install-recommends "${missing[@]}" \
    >/dev/null
}
