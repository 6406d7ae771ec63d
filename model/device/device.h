// Where the engine runs and in which dtype, from what the user asked for.
#pragma once

#include <ATen/core/Tensor.h>

#include <string>

#include "model/options.h"

namespace vidi {

// "auto", "cpu", "cuda", "cuda:1" -> a device that answers. auto = first CUDA device that works,
// else the CPU. Throws kNoDevice (a build without CUDA, no driver, no such number) or kBadInput
// (another word).
// `why_no_gpu` is filled where auto means the CPU.
at::Device choose_device(const std::string& name, std::string* why_no_gpu = nullptr);

int n_cuda_devices() noexcept;  // 0: none, or no CUDA

// auto = fp16 on CUDA, fp32 on the CPU. Throws kUnsupported: fp16 and bf16 need CUDA.
at::ScalarType choose_dtype(Precision precision, at::Device device);
const char* precision_name(at::ScalarType dtype);  // "fp32", "fp16", "bf16"

// Products and convolutions of float32 in float32 (no TF32). For the whole process; called when a
// session opens.
void forbid_tf32();

// On arm64 where the kernel does not name the processor (/sys without MIDR_EL1, as in some
// containers), oneDNN writes a line to the application's stderr and knows no more than ATen: it is
// left out there. For the whole process; called when a session opens.
void leave_out_onednn_without_midr();

// At most as many threads for work on the CPU as there are cores for it (usable_cores.h): libtorch
// knows of no quota. For the whole process; never raises what the application chose.
void bound_threads();

// Bytes on the device right now and at most since the start, and what the allocator holds for them,
// its cache included, likewise; 0 on the CPU.
struct MemoryUse {
  int64_t current = 0, peak = 0, held = 0, held_peak = 0;
};
MemoryUse memory_use(at::Device device);
// Bytes that this process can still take on the device, its own cache included; without end on the
// CPU.
int64_t spare_memory(at::Device device);
void free_device_cache(at::Device device);
// Waits for what this thread gave the device to do, on its current stream. Not for the whole device:
// that would spoil what another thread is recording (model/decoder/cuda_graph.h).
void synchronize(at::Device device);

}  // namespace vidi
