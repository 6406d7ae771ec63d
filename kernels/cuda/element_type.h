// What the doors of the CUDA kernels (<operation>_launch.h) have in common. They are plain C++ with
// raw pointers, so that an operation needs neither a toolkit nor `#if`: behind them are the .cu
// files, or launch_stub.cpp in a build without nvcc.
//
// A launch goes to the current device, on `stream` (a cudaStream_t), and returns at once; it
// allocates nothing and reads no device memory, so a CUDA graph can record it. One that CUDA
// refuses throws std::runtime_error. All pointers are multiples of 16 bytes.
#pragma once

namespace vidi {

// Of the numbers that a kernel reads and writes.
enum class ElementType { kHalf, kBFloat16, kFloat };  // kFloat: launch_argmax alone

}  // namespace vidi
