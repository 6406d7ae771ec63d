#!/usr/bin/env bash
# three hours of film take hardly more memory than ten minutes, with one decoder and with several
#
# At 25 kbit/s: what queues hold is bounded in bytes, which at a low bitrate is many minutes of film, so sound and pictures
# get far apart unless one waits for the other. The bound is a quarter more. The last line is `N passed, N failed`.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
. tests/summary.sh
work=$(mktemp -d)
trap 'rm -rf "$work"; finish' EXIT
export GST_PLUGIN_PATH=$PWD/build/gst

# make_film FILE SECONDS: two small pictures a second, and a tone.
make_film() {
  gst-launch-1.0 -q videotestsrc num-buffers=$(($2 * 2)) pattern=ball ! \
    video/x-raw,width=320,height=180,framerate=2/1 ! openh264enc bitrate=12000 gop-size=20 ! h264parse ! \
    queue max-size-time=0 max-size-buffers=0 ! mp4mux name=m ! filesink location="$1" \
    audiotestsrc samplesperbuffer=4800 num-buffers=$(($2 * 10)) ! audio/x-raw,rate=48000,channels=1 ! audioconvert ! \
    avenc_aac bitrate=16000 ! aacparse ! queue max-size-time=0 max-size-buffers=0 ! m. 2>"$work/made.txt" ||
    { cat "$work/made.txt"; exit 1; }
}

# peak_mb FILE DECODERS: the most memory that vidi-ask takes.
peak_mb() {
  python3 - "$1" "$2" <<'PY'
import resource, subprocess, sys
done = subprocess.run(["build/examples/vidi-ask", "--quiet", "--json", "--decoders", sys.argv[2], sys.argv[1], "a dog"],
                      stdout=subprocess.DEVNULL)
if done.returncode:
    sys.exit(f"vidi-ask ended with status {done.returncode}")
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024)
PY
}

echo "Making a film of 10 minutes and one of 3 hours"
make_film "$work/short.mp4" 600
make_film "$work/long.mp4" 10800
for decoders in 1 0; do
  short=$(peak_mb "$work/short.mp4" $decoders)
  long=$(peak_mb "$work/long.mp4" $decoders)
  echo "--decoders $decoders: 10 minutes take $short MB, 3 hours $long MB"
  if [ "$long" -le $((short * 5 / 4)) ]; then add_counts 1 0 0; else add_counts 0 1 0; fi
done
