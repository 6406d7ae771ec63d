#!/usr/bin/env bash
# What takes too long for every day. Run by hand; the figures go into notes. Ends like the other tiers with a line of counts.
#
#   tests/long.sh                  lists what there is
#   tests/long.sh NAME [ARG...]    runs tests/long/NAME.sh
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

if [ $# = 0 ]; then
  for script in tests/long/*.sh; do
    printf '%-12s %s\n' "$(basename "$script" .sh)" "$(sed -nE '2s/^# ?//p' "$script")"
  done
  exit 0
fi
script=tests/long/$1.sh
if [ ! -e "$script" ]; then
  echo "tests/long.sh: no '$1', expected one of: $(cd tests/long && ls ./*.sh | sed -E 's|^\./(.*)\.sh$|\1|' | paste -sd ' ')" >&2
  exit 2
fi
shift
exec "$script" "$@"
