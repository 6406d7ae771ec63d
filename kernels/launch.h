// The doors of the CUDA kernels: plain C++ with raw pointers, so that operations need neither a
// toolkit nor `#if`. The .cu files are behind them, or launch_stub.cpp in a build without nvcc.
//
// All launches go to the current device, on `stream` (a cudaStream_t), and return at once; they
// allocate nothing and read no device memory, so a CUDA graph can record them. A launch that CUDA
// refuses throws std::runtime_error. All pointers are multiples of 16 bytes.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/attention_plan.h"
#include "model/config.h"

namespace vidi {

enum class ElementType { kHalf, kBFloat16, kFloat };  // kFloat: launch_pick alone

// What a device gives a kernel; all 0 where these kernels do not run (no nvcc in the build, a GPU
// before Ampere, one that the build has no code for).
DeviceLimits device_limits(int device);

// Both steps of attention over `task`'s key sets as planned; `workspace` has
// plan.workspace_bytes() bytes.
void launch_attention(const AttentionTask& task, const AttentionPlan& plan, ElementType type,
                      void* workspace, void* stream);

// norm.h: sum = x + added (itself normalised if it has a weight), normalized = norm(sum). Rows of
// `width` numbers, a multiple of 8.
constexpr int kMaxNormWidth = 8192;
struct NormTask {
  const void* x = nullptr;
  const void* added = nullptr;         // null: sum is x and is not stored
  const void* added_weight = nullptr;  // null: added as it is
  const void* weight = nullptr;        // null: 1
  void* sum = nullptr;
  void* normalized = nullptr;  // null: not wanted
  int64_t rows = 0;
  int width = 0;
  float eps = 0;
  bool weight_offset = false;
};
void launch_norm(const NormTask& task, ElementType type, void* stream);

// layer_norm.h: sum = x + added, within +-limit unless that is 0; normalized = layer norm of the
// sum. Rows of `width` numbers, a multiple of 8, at most kMaxNormWidth.
struct LayerNormTask {
  const void *x = nullptr, *added = nullptr;
  const void *weight = nullptr, *bias = nullptr;
  void* sum = nullptr;
  void* normalized = nullptr;  // null: not wanted
  int64_t rows = 0;
  int width = 0;
  float eps = 0, limit = 0;
};
void launch_layer_norm(const LayerNormTask& task, ElementType type, void* stream);

// gated_mlp.h: out [rows, width] = act(gate) * up; strides in elements, all multiples of 8.
struct GateTask {
  const void* gate = nullptr;
  const void* up = nullptr;
  void* out = nullptr;
  int64_t rows = 0, gate_stride = 0, up_stride = 0;
  int width = 0;
  Activation activation = Activation::kGeluTanh;
};
void launch_gate(const GateTask& task, ElementType type, void* stream);

// rope.h: q [rows, heads, head_dim] turned into `turned`; k turned and v as it is into
// [rows / queries, kv_heads, slots, head_dim] at their positions. A position without a slot or a
// row of the table is left out. head_dim a multiple of 16.
struct RopeTask {
  const void *q = nullptr, *k = nullptr, *v = nullptr;
  int64_t q_stride = 0, k_stride = 0, v_stride = 0;  // elements from row to row
  const int64_t* positions = nullptr;                // [rows]
  const void *cos = nullptr, *sin = nullptr;         // [table_rows, head_dim / 2]
  void *turned = nullptr, *key = nullptr, *value = nullptr;
  int64_t table_rows = 0, slots = 0;
  int rows = 0, queries = 0, heads = 0, kv_heads = 0, head_dim = 0;
};
void launch_rope(const RopeTask& task, ElementType type, void* stream);

// pick.h: logits [rows, width], float32 too; workspace of 3 floats for each row and part.
constexpr int kPickParts = 64;
struct PickTask {
  const void* logits = nullptr;
  int rows = 0, width = 0;
  int64_t* ids = nullptr;     // [rows]
  float* for_host = nullptr;  // [2, rows]
  void* workspace = nullptr;
};
void launch_pick(const PickTask& task, ElementType type, void* stream);

}  // namespace vidi
