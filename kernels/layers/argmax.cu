// The highest logit of each row and its softmax: parts of a row in one kernel, their meeting in
// another. Equal logits: the first, as ATen's argmax and as the published code.
#include <cuda_runtime.h>

#include "kernels/cuda/launch.cuh"
#include "kernels/cuda/vector.cuh"
#include "kernels/layers/argmax_launch.h"

namespace vidi {
namespace {

constexpr int kThreads = 256;

// The best so far, and the sum of exp(logit - top) over everything seen.
struct Best {
  float top = -INFINITY, sum = 0;
  int index = 0x7fffffff;

  __device__ void add(const Best& other) {
    const bool wins = other.top > top || (other.top == top && other.index < index);
    const float high = fmaxf(top, other.top);
    if (high == -INFINITY) return;
    sum = sum * expf(top - high) + other.sum * expf(other.top - high);
    top = high;
    if (wins) index = other.index;
  }
};

// Over the block; thread 0 has the result.
__device__ Best block_best(Best best) {
  __shared__ float tops[32], sums[32];
  __shared__ int indices[32];
  const int warp = threadIdx.x / 32, lane = threadIdx.x % 32, n_warps = blockDim.x / 32;
  auto meet = [&] {
    for (int step = 16; step > 0; step /= 2) {
      Best other;
      other.top = __shfl_xor_sync(0xffffffffu, best.top, step);
      other.sum = __shfl_xor_sync(0xffffffffu, best.sum, step);
      other.index = __shfl_xor_sync(0xffffffffu, best.index, step);
      best.add(other);
    }
  };
  meet();
  if (lane == 0) tops[warp] = best.top, sums[warp] = best.sum, indices[warp] = best.index;
  __syncthreads();
  best = Best{};
  if (lane < n_warps) best.top = tops[lane], best.sum = sums[lane], best.index = indices[lane];
  meet();
  return best;
}

__device__ Best* part_of(const ArgmaxTask& task, int row, int part) {
  return static_cast<Best*>(task.workspace) + row * kArgmaxParts + part;
}

template <typename T>
__global__ void pick_parts(const __grid_constant__ ArgmaxTask task) {
  const int part = blockIdx.x, row = blockIdx.y;
  const int per_part = (task.width + kArgmaxParts - 1) / kArgmaxParts;
  const int end = min(task.width, (part + 1) * per_part);
  const T* logits = static_cast<const T*>(task.logits) + int64_t{row} * task.width;
  Best best;
  for (int i = part * per_part + threadIdx.x; i < end; i += kThreads) {
    Best one;
    one.top = to_float(logits[i]), one.sum = 1, one.index = i;
    best.add(one);
  }
  best = block_best(best);
  if (threadIdx.x == 0) *part_of(task, row, part) = best;
}

__global__ void pick_whole(const __grid_constant__ ArgmaxTask task) {
  const int row = blockIdx.x;
  const Best best = block_best(*part_of(task, row, threadIdx.x));
  if (threadIdx.x != 0) return;
  const int index = best.index < task.width ? best.index : 0;  // a row of NaN has no best
  task.ids[row] = index;
  task.for_host[row] = static_cast<float>(index);
  task.for_host[task.rows + row] = 1 / best.sum;
}

}  // namespace

void launch_argmax(const ArgmaxTask& task, ElementType type, void* stream) {
  static_assert(sizeof(Best) == 3 * sizeof(float) && kArgmaxParts % 32 == 0);
  const auto kernel = type == ElementType::kHalf       ? pick_parts<__half>
                      : type == ElementType::kBFloat16 ? pick_parts<__nv_bfloat16>
                                                       : pick_parts<float>;
  const dim3 grid(kArgmaxParts, static_cast<unsigned>(task.rows));
  start("pick", kernel, grid, kThreads, 0, stream, task);
  start("pick", pick_whole, dim3(static_cast<unsigned>(task.rows)), kArgmaxParts, 0, stream, task);
}

}  // namespace vidi
