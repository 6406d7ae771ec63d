#!/usr/bin/env bash
# What depends on the processor, as other x86-64 machines have it: the numeric suites with the instruction sets and the
# threads of others. The last line is `other CPUs: N passed, N failed`.
#
# ATen, oneDNN, MKL and our own loops (by way of glibc) each look at the processor for themselves, and each have a variable.
# MKL has two: MKL_ENABLE_INSTRUCTIONS holds on Intel's processors alone. On others it takes AVX2 of itself, and with
# MKL_CBWR=COMPATIBLE the oldest code it has.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
. tests/summary.sh
trap 'finish "other CPUs: "' EXIT

suites=(signals kernels golden session)

# on WHAT VARIABLE=VALUE...
on() {
  echo "As on $1:"
  shift
  export "$@"
  run_meson_tests build "${suites[@]}"
  unset "${@%%=*}"
}

tests/setup.sh </dev/null
if grep -qw avx2 /proc/cpuinfo; then
  on "one core with AVX2" OMP_NUM_THREADS=1 MKL_DYNAMIC=FALSE \
    ATEN_CPU_CAPABILITY=avx2 ONEDNN_MAX_CPU_ISA=AVX2 MKL_ENABLE_INSTRUCTIONS=AVX2
fi
on "a processor of before AVX" ATEN_CPU_CAPABILITY=default ONEDNN_MAX_CPU_ISA=SSE41 MKL_ENABLE_INSTRUCTIONS=SSE4_2 \
  MKL_CBWR=COMPATIBLE GLIBC_TUNABLES=glibc.cpu.hwcaps=-AVX512F,-AVX2,-FMA,-AVX
on "five cores" OMP_NUM_THREADS=5 MKL_DYNAMIC=FALSE LD_PRELOAD="$PWD/build/tests/libfive-cores.so"
