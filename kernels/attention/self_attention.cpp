#include "kernels/attention/self_attention.h"

#include <ATen/Parallel.h>
#include <c10/core/InferenceMode.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cmath>
#include <limits>
#include <vector>

#include "kernels/aten.h"
#include "kernels/cuda/dispatch.h"
#include "kernels/layers/linear.h"
#include "kernels/layers/pieces.h"

namespace vidi {
namespace {

constexpr int64_t kBlockRows = 128;             // their scores stay in a core's cache
constexpr int64_t kUnitRows = 3 * kBlockRows;   // one thread's work at a time
constexpr int64_t kFewPlaces = 4 * kBlockRows;  // fewer are ATen's affair: one block holds them

// From Hopper on cuDNN's kernel takes 0.15 ms where ATen's takes 0.22 (16 pictures of 729 places,
// 16 heads of 72). It compiles itself for every new shape, so it gets those that come again and
// again.
constexpr int64_t kCudnnBatch = 16;
constexpr int kCudnnGeneration = 9;

// A GPU or a version of cuDNN that we do not know may refuse; then it is asked no more on that
// device. Any thread.
std::atomic<bool>& cudnn_refused(at::Device device) {
  constexpr size_t kMostDevices = std::numeric_limits<c10::DeviceIndex>::max() + size_t{1};
  static std::array<std::atomic<bool>, kMostDevices> of_device{};
  return of_device[static_cast<size_t>(device.index())];
}

bool goes_to_cudnn(const at::Tensor& q) {
  return q.is_cuda() && q.size(0) > 0 && q.size(0) % kCudnnBatch == 0 && q.size(3) % 8 == 0 &&
         q.size(3) <= 128 && own_kernels_run(q.device(), q.scalar_type()) &&
         device_limits(q.device().index()).generation >= kCudnnGeneration &&
         at::globalContext().userEnabledCuDNNSDP() && at::globalContext().versionCuDNN() >= 90000 &&
         !cudnn_refused(q.device());
}

at::Tensor cudnn_attention(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v) {
  try {
    at::Tensor y = std::get<0>(at::_scaled_dot_product_cudnn_attention(
        q, k, v, std::nullopt, /*compute_log_sumexp=*/false));
    return y.transpose(1, 2).flatten(2);
  } catch (const c10::OutOfMemoryError&) {
    throw;
  } catch (const c10::Error&) {
    cudnn_refused(q.device()) = true;
    return self_attention_plain(q, k, v);
  }
}

// Rows [first, end) of one head. q, k, v, out [n, D].
void attend_rows(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, int64_t first,
                 int64_t end, const at::Tensor& out) {
  const double scale = 1 / std::sqrt(static_cast<double>(q.size(1)));
  const at::Tensor keys = k.contiguous(),
                   values = v.t().contiguous();  // as weights: [n, D], [D, n]
  for (int64_t at = first; at < end; at += kBlockRows) {
    const int64_t n = std::min(kBlockRows, end - at);
    at::Tensor scores = apply_linear(q.narrow(0, at, n) * scale, keys);
    out.narrow(0, at, n).copy_(apply_linear(at::softmax(scores, -1), values));
  }
}

}  // namespace

at::Tensor self_attention_plain(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v) {
  at::Tensor y = at::scaled_dot_product_attention(q, k, v);
  return y.transpose(1, 2).flatten(2);
}

// Some pictures, or stretches of sound, are one piece of work.
static at::Tensor attend_few_places(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v) {
  const int64_t batch = q.size(0),
                piece = rows_in_piece(
                    4.0 * static_cast<double>(q.size(1) * q.size(2) * k.size(2) * q.size(3)));
  std::vector<at::Tensor> parts;
  for (int64_t at = 0; at < batch; at += piece) {
    interruption_point();
    auto here = [&](const at::Tensor& t) { return t.narrow(0, at, std::min(piece, batch - at)); };
    parts.push_back(self_attention_plain(here(q), here(k), here(v)));
  }
  return parts.size() == 1 ? parts[0] : at::cat(parts);
}

at::Tensor self_attention(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v) {
  const int64_t batch = q.size(0), heads = q.size(1), n = q.size(2), dim = q.size(3);
  if (goes_to_cudnn(q)) return cudnn_attention(q, k, v);
  if (!q.is_cpu()) return self_attention_plain(q, k, v);
  if (q.scalar_type() != at::kFloat || n < kFewPlaces) return attend_few_places(q, k, v);
  at::Tensor out = at::empty({batch, n, heads, dim}, q.options());
  const int64_t per_head = (n + kUnitRows - 1) / kUnitRows, units = batch * heads * per_head;
  const int64_t piece = std::max<int64_t>(
      at::get_num_threads(), rows_in_piece(4.0 * static_cast<double>(kUnitRows * n * dim)));
  for (int64_t at = 0; at < units; at += piece) {
    interruption_point();
    at::parallel_for(at, std::min(at + piece, units), 1, [&](int64_t begin, int64_t end) {
      c10::InferenceMode inference;  // each thread's own
      for (int64_t unit = begin; unit < end; ++unit) {
        const int64_t first = unit % per_head * kUnitRows;
        const int64_t h = unit / per_head % heads, b = unit / per_head / heads;
        attend_rows(q[b][h], k[b][h], v[b][h], first, std::min(first + kUnitRows, n),
                    out[b].select(1, h));
      }
    });
  }
  return out.flatten(2);
}

}  // namespace vidi
