// Attention of a pass that asks about several windows: the blocks of attention.cu, with the window
// as one more axis of their grid. A window of ten seconds does not fill a GPU, and two kernels for
// each of many keep the host busy.
#include <cuda_runtime.h>

#include <algorithm>
#include <atomic>
#include <iterator>
#include <stdexcept>
#include <utility>

#include "kernels/attention/attention_block.cuh"
#include "kernels/attention/windows_launch.h"

namespace vidi {
namespace {

struct Partial {
  float* outs;
  float2* stats;
};

__device__ Partial partial_of(const WindowJob& job, unsigned char* workspace) {
  auto* outs = reinterpret_cast<float*>(workspace + job.workspace_at);
  const int64_t rows = int64_t{job.plan.n_units} * job.plan.row_tile;
  return {outs, reinterpret_cast<float2*>(outs + rows * job.plan.head_dim)};
}

// Units (x) of each window (y).
template <typename T, int kIndex>
__global__ void __launch_bounds__(kAttentionTiles[kIndex].threads(),
                                  kAttentionTiles[kIndex].blocks_per_multiprocessor())
    attend_windows(const __grid_constant__ WindowJobs jobs, unsigned char* workspace) {
  extern __shared__ __align__(128) unsigned char shared[];
  const WindowJob& job = jobs.jobs[blockIdx.y];
  if (static_cast<int>(blockIdx.x) >= job.plan.n_units) return;
  const Partial partial = partial_of(job, workspace);
  attend_block<T, kIndex>(job.task, job.plan, shared, partial.outs, partial.stats);
}

// Queries (x), heads (y), windows (z).
template <typename T>
__global__ void combine_windows(const __grid_constant__ WindowJobs jobs, unsigned char* workspace) {
  const WindowJob& job = jobs.jobs[blockIdx.z];
  if (static_cast<int>(blockIdx.x) >= job.task.questions * job.task.queries) return;
  const Partial partial = partial_of(job, workspace);
  combine_block<T>(job.task, job.plan, partial.outs, partial.stats);
}

template <typename T, int kIndex>
bool launch_tile(const WindowJobs& jobs, void* workspace, void* stream) {
  constexpr AttentionTile kTile = kAttentionTiles[kIndex];
  const AttentionTask& task = jobs.jobs[0].task;
  const AttentionPlan& plan = jobs.jobs[0].plan;
  if (kTile.head_dim != task.head_dim || kTile.rows() != plan.row_tile) return false;
  int units = 0, queries = 0;
  for (const WindowJob* job = jobs.jobs; job < jobs.jobs + jobs.n; ++job) {
    units = std::max(units, job->plan.n_units);
    queries = std::max(queries, job->task.questions * job->task.queries);
  }
  static std::atomic<uint64_t> done{0};  // the plan's slots depend on the device alone
  allow_shared_memory("attention: shared memory", attend_windows<T, kIndex>, plan.shared_bytes,
                      done);
  auto* bytes = static_cast<unsigned char*>(workspace);
  start_early("attention", attend_windows<T, kIndex>, dim3(units, jobs.n), kTile.threads(),
              plan.shared_bytes, stream, jobs, bytes);
  start_early("attention", combine_windows<T>, dim3(queries, task.heads, jobs.n),
              kPartGroups * task.head_dim / 4, 0, stream, jobs, bytes);
  return true;
}

template <typename T, int... kIndex>
bool launch_any(std::integer_sequence<int, kIndex...>, const WindowJobs& jobs, void* workspace,
                void* stream) {
  return (launch_tile<T, kIndex>(jobs, workspace, stream) || ...);
}

}  // namespace

void launch_windows_attention(const WindowJobs& jobs, ElementType type, void* workspace,
                              void* stream) {
  constexpr auto kAll = std::make_integer_sequence<int, std::size(kAttentionTiles)>();
  const bool launched = type == ElementType::kHalf
                            ? launch_any<__half>(kAll, jobs, workspace, stream)
                            : launch_any<__nv_bfloat16>(kAll, jobs, workspace, stream);
  if (!launched) throw std::runtime_error("attention: no kernel for this head size");
}

}  // namespace vidi
