#!/usr/bin/env bash
# An array of jobs, each with a GPU and its part of a list; what a job did not get to is done when it is submitted again.
#
#   sbatch --array=0-15 examples/batch/slurm.sh films.txt /shared/hits --model Vidi1.5-9B "a dog" "someone saying goal"
#
# films.txt, the films, the model and /shared/hits are at the same place on every node.
#SBATCH --job-name=vidi-ask
#SBATCH --gpus=1
#SBATCH --cpus-per-task=16
#SBATCH --time=12:00:00
#SBATCH --signal=TERM@60
#SBATCH --requeue
set -euo pipefail
list=${1:?expected the list of films, the folder of the answers, and what vidi-ask takes} out=${2:?expected the folder of the answers}
shift 2
first=${SLURM_ARRAY_TASK_MIN:-0}
exec "${VIDI_ASK:-vidi-ask}" --batch "$list" --out "$out" --quiet \
  --shard "$((${SLURM_ARRAY_TASK_ID:?expected sbatch --array} - first))/${SLURM_ARRAY_TASK_COUNT:?}" "$@"
