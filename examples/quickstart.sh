#!/usr/bin/env bash
# Finds what you ask for in a video: sets up what is missing (it says what and why first; Debian 12, Debian 13 or
# Ubuntu 24.04), builds the engine, the element and vidi-ask, and asks the small bundled model.
#
#   examples/quickstart.sh                  the bundled clip: when is there a phone, a dog, someone saying "goal"?
#   examples/quickstart.sh FILE QUERY...    your own file and questions
set -euo pipefail
root=$(realpath "$(dirname "${BASH_SOURCE[0]}")/..")
demo=$root/examples/demo

case ${1:-} in
  -h | --help)
    sed -nE '2,7s/^# ?//p' "${BASH_SOURCE[0]}"
    exit 0 ;;
esac
file=${1:-$demo/clip.mp4}
queries=("${@:2}")
if [ $# -lt 2 ]; then queries=("a phone" "a dog" "someone saying goal"); fi
if [ ! -f "$file" ]; then
  echo "quickstart: no file '$file'; usage: examples/quickstart.sh [FILE] [QUERY...]" >&2
  exit 2
fi

"$root/tests/setup.sh" vidi gstvidi vidi-ask </dev/null

start=$SECONDS
echo
"$root/build/examples/vidi-ask" "$file" "${queries[@]}" --model "$demo/checkpoint"
if [ $# -eq 0 ]; then
  echo
  echo "And without a question, everything that happens in it (--task highlight):"
  "$root/build/examples/vidi-ask" "$file" --task highlight --model "$demo/checkpoint"
fi

echo
echo "  asking: $((SECONDS - start)) s; all in all: $((SECONDS / 60)) min $((SECONDS % 60)) s"
cat <<END

What to try next in $root:
  examples/quickstart.sh FILE "a cat" "people clapping"     your file; examples/demo/README.md lists what this model knows
  build/examples/vidi-ask FILE "a dog" --ask-more           further questions, answered without watching again
  build/examples/vidi-ask FILE "a red car" --model FOLDER   your weights, such as a published Vidi1.5-9B folder
  GST_PLUGIN_PATH=build/gst gst-launch-1.0 -m uridecodebin uri=file://$demo/clip.mp4 \\
    ! vidifilter model-path=examples/demo/checkpoint query="a dog" ! fakesink
END
