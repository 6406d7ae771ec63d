#!/usr/bin/env bash
# Uses the installed package gstreamer1.0-vidi, then vidi-dev, and removes both: tests/long/packages.sh runs it in a root of its own, with
# the packages beside it. Ends with a line of counts.
set -uo pipefail
here=$(dirname "$(realpath "$0")")
cd "$(mktemp -d)" && chmod 777 .
clip=/usr/share/vidi/clip.mp4
passed=0 failed=0

# check NAME PATTERN COMMAND...: not as root, with no variable of ours; it must end well and say the pattern.
check() {
  local name=$1 pattern=$2 said
  shift 2
  if said=$(env -i PATH=/usr/bin:/bin HOME="$PWD" setpriv --reuid=65534 --regid=65534 --clear-groups "$@" 2>&1 </dev/null) && grep -qE "$pattern" <<<"$said"; then
    echo "  ok: $name"
    passed=$((passed + 1))
  else
    printf '  FAILED: %s\n%s\n' "$name" "$said"
    failed=$((failed + 1))
  fi
}

check "gst-inspect-1.0 finds the element" 'libgstvidi.so' gst-inspect-1.0 vidifilter
check "vidi-ask on the installed clip" '^a dog +0:1[123]' vidi-ask "$clip" "a phone" "a dog"
check "the README's launch line" '' gst-launch-1.0 -m uridecodebin uri=file://$clip name=d vidifilter name=v query="a dog" \
  d. ! queue ! v.sink d. ! queue ! v.audio_sink v.src ! fakesink sync=false v.audio_src ! fakesink sync=false \
  v.json_src ! filesink buffer-mode=unbuffered location=hits.jsonl v.text_src ! webvttenc ! filesink buffer-mode=unbuffered location=hits.vtt
check "its hits as JSON and subtitles" '"query":"a dog"' cat hits.jsonl hits.vtt
check "the model is the installed one" '"model_from":"installed"' cat hits.jsonl
check "vidi-watch on a test picture" 'a clock ticking' timeout 60 vidi-watch --once 1 test:// "a clock ticking"
check "the programs are these" '^vidi-ask vidi-bench vidi-export vidi-watch $' sh -c "dpkg -L gstreamer1.0-vidi | sed -n 's|^/usr/bin/||p' | sort | tr '\n' ' '"
for program in vidi-ask vidi-bench vidi-export vidi-watch; do
  check "$program says its version" "^$program \(vidifilter\) [0-9]" "$program" --version
  check "its manual page" "^$program \\\\- " zcat "/usr/share/man/man1/$program.1.gz"
  # As bash does when the tabulator is pressed behind "--he".
  check "its completion" '^--help$' bash -c "source /usr/share/bash-completion/completions/$program && COMP_WORDS=($program --he) COMP_CWORD=1 && _vidi_programs $program && echo \"\${COMPREPLY[*]}\""
done
check "vidi-export on what vidi-ask says" '^1[123]\..*,a dog,' sh -c "vidi-ask -q --json $clip 'a dog' >dog.jsonl && vidi-export dog.jsonl csv - && vidi-export dog.jsonl otio dog.otio"
echo '[{"query_id": 0, "video_id": "clip", "duration": 40, "query": "a dog", "gt": [[12, 16]]}]' >truth.json
check "vidi-bench scores the dog" '"mean IoU": 1.0' vidi-bench vue-tr --truth truth.json --videos /usr/share/vidi --window 0 --out answers.json --json
check "clips of the hits" '"start_in_clip"' sh -c "vidi-ask -q $clip 'a dog' --clips clips && cat clips/index.json && ls clips/01*"
check "a page of the hits" '<title>' sh -c "vidi-ask -q $clip 'a dog' --html page.html && cat page.html"
check "libtorch is the package's own" '/usr/lib/[^ ]*/vidi/libtorch_cpu.so' ldd /usr/lib/*-linux-gnu/vidi/libvidi.so
check "the licences are there" 'Redistribution and use' zcat -f /usr/share/doc/gstreamer1.0-vidi/libtorch.txt.gz

apt-get install -y -qq --no-install-recommends "$here"/vidi-dev_*.deb gcc g++ libc6-dev pkg-config >/dev/null 2>&1
check "a C program compiles" '' sh -c "gcc -Wall -Werror '$here/embed.c' \$(pkg-config --cflags --libs vidi) -o embed"
check "and finds the dog" '^a dog: 1[123]' ./embed $clip "a dog"
cat >side.cpp <<'END'
#include <cstdio>

#include "model/engine_api.h"
int main() { std::printf("side %d\n", *vidi_engine_api()->picture_side("/usr/share/vidi/demo")); }
END
check "a program on the engine alone" '^side [1-9]' sh -c "g++ -std=c++20 side.cpp \$(pkg-config --cflags --libs vidi-engine) -o side && ./side"

apt-get purge -y -qq gstreamer1.0-vidi vidi-dev >/dev/null 2>&1
rm -rf .cache
left=$(find / -xdev \( -path /proc -o -path /sys -o -path "$here" -o -path "$PWD" \) -prune -o -iname '*vidi*' -not -iname '*nvidi*' -print)
if [ -z "$left" ]; then
  echo "  ok: nothing is left of it"
  passed=$((passed + 1))
else
  printf '  FAILED: left behind:\n%s\n' "$left"
  failed=$((failed + 1))
fi
echo "$passed passed, $failed failed"
