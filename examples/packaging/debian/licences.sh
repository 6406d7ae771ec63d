#!/bin/sh
# licences.sh TORCH DOC: the full texts that libtorch and the libraries beside it come with, into the folder of documentation.
set -eu
torch=$1 doc=$2
site=$torch/..
for text in "$site"/torch-*.dist-info/licenses/LICENSE "$torch/LICENSE"; do
  if [ -e "$text" ]; then install -m 644 "$text" "$doc/libtorch.txt"; fi
done
[ -e "$doc/libtorch.txt" ] || { echo "licences.sh: no licence of libtorch beside $torch" >&2; exit 1; }
for text in "$site"/nvidia_cuda_runtime-*.dist-info/licenses/License.txt; do
  if [ -e "$text" ]; then install -m 644 "$text" "$doc/cuda.txt"; fi
done
