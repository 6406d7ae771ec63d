#!/bin/sh
# What a container runs: `demo`, or a command such as `vidi-ask FILE QUERY...`, `gst-launch-1.0 ...`.
if [ $# = 0 ] || [ "$1" = demo ]; then
  exec vidi-ask /usr/share/vidi/clip.mp4 "a phone" "a dog" "someone saying goal"
fi
exec "$@"
