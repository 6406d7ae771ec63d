// Attention of few queries over many keys: scores and softmax a tile of keys at a time (running
// maximum and sum, FlashAttention), the keys split over blocks (FlashDecoding), on the matrix units
// in half precision with float32 sums. kernels/attention/attention.cpp is the specification.
#include <cuda_runtime.h>

#include <atomic>
#include <iterator>
#include <utility>

#include "kernels/attention/attention_block.cuh"
#include "kernels/attention/attention_launch.h"

namespace vidi {
namespace {

template <typename T, int kIndex>
__global__ void __launch_bounds__(kAttentionTiles[kIndex].threads(),
                                  kAttentionTiles[kIndex].blocks_per_multiprocessor())
    attend(const __grid_constant__ AttentionTask task, const __grid_constant__ AttentionPlan plan,
           float* outs, float2* stats) {
  extern __shared__ __align__(128) unsigned char shared[];
  attend_block<T, kIndex>(task, plan, shared, outs, stats);
}

// A block for each query (x) and head (y).
template <typename T>
__global__ void combine(const __grid_constant__ AttentionTask task,
                        const __grid_constant__ AttentionPlan plan, const float* outs,
                        const float2* stats) {
  combine_block<T>(task, plan, outs, stats);
}

// The same of each set (z) by itself, in float32.
__global__ void combine_sets_apart(const __grid_constant__ AttentionTask task,
                                   const __grid_constant__ AttentionPlan plan, const float* outs,
                                   const float2* stats) {
  __shared__ float weights[kMaxKeyParts];
  __shared__ float4 sums[256];
  let_next_start();
  wait_for_previous();
  const int query = blockIdx.x, head = blockIdx.y, set = blockIdx.z;
  const Parts parts = find_parts(task, plan, set, query, head);
  const int64_t row = (int64_t{set} * task.questions * task.queries + query) * task.heads + head;
  if (threadIdx.x < 32) {
    const float log_sum = weigh_parts(parts, stats, weights);
    constexpr float kLn2 = 0.6931471805599453f;  // scores are kept for exponentials to base 2
    if (threadIdx.x == 0) task.set_log_sums[row] = log_sum * kLn2;
  }
  __syncthreads();
  const int quads = task.head_dim / 4, group = threadIdx.x / quads;
  const int element = threadIdx.x % quads * 4;
  float4 sum = make_float4(0, 0, 0, 0);
  add_parts(sum, parts, weights, outs + element, task.head_dim, group);
  sum = add_groups(sum, sums, group, quads);
  if (group == 0) *reinterpret_cast<float4*>(task.set_outs + row * task.head_dim + element) = sum;
}

template <typename T, int kIndex>
bool launch_tile(const AttentionTask& task, const AttentionPlan& plan, void* workspace,
                 void* stream) {
  constexpr AttentionTile kTile = kAttentionTiles[kIndex];
  if (kTile.head_dim != task.head_dim || kTile.rows() != plan.row_tile) return false;
  static std::atomic<uint64_t> done{0};  // the plan's slots depend on the device alone
  allow_shared_memory("attention: shared memory", attend<T, kIndex>, plan.shared_bytes, done);
  auto* outs = static_cast<float*>(workspace);
  auto* stats =
      reinterpret_cast<float2*>(outs + int64_t{plan.n_units} * plan.row_tile * plan.head_dim);
  start_early("attention", attend<T, kIndex>, dim3(plan.n_units), kTile.threads(),
              plan.shared_bytes, stream, task, plan, outs, stats);
  const int threads = kPartGroups * task.head_dim / 4, queries = task.questions * task.queries;
  const auto* made = static_cast<const float*>(outs);
  const auto* made_stats = static_cast<const float2*>(stats);
  if (task.set_outs) {
    start_early("attention", combine_sets_apart, dim3(queries, task.heads, task.n_sets), threads, 0,
                stream, task, plan, made, made_stats);
  } else {
    start_early("attention", combine<T>, dim3(queries, task.heads), threads, 0, stream, task, plan,
                made, made_stats);
  }
  return true;
}

template <typename T, int... kIndex>
bool launch_any(std::integer_sequence<int, kIndex...>, const AttentionTask& task,
                const AttentionPlan& plan, void* workspace, void* stream) {
  return (launch_tile<T, kIndex>(task, plan, workspace, stream) || ...);
}

}  // namespace

void launch_attention(const AttentionTask& task, const AttentionPlan& plan, ElementType type,
                      void* workspace, void* stream) {
  constexpr auto kAll = std::make_integer_sequence<int, std::size(kAttentionTiles)>();
  const bool launched = type == ElementType::kHalf
                            ? launch_any<__half>(kAll, task, plan, workspace, stream)
                            : launch_any<__nv_bfloat16>(kAll, task, plan, workspace, stream);
  if (!launched) throw std::runtime_error("attention: no kernel for this head size");
}

}  // namespace vidi
