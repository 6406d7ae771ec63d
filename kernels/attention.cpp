#include "kernels/attention.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <vector>

namespace vidi {
namespace {

// Scores of one block of queries: 64 M values are 256 MB in float32.
constexpr int64_t kMaxScores = int64_t{64} << 20;

// q [B, kv_heads, G * T, D], k and v [B * kv_heads, S, D], mask [B, 1, 1, T, S] or undefined.
at::Tensor attend(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v,
                  const AttentionScale& scale, const at::Tensor& mask, int64_t group) {
  const int64_t batch = q.size(0), kv_heads = q.size(1), rows = q.size(2), n_keys = k.size(1);
  at::Tensor scores = at::bmm(q.flatten(0, 1), k.transpose(1, 2)).mul_(scale.scale);
  if (scale.softcap > 0) scores.div_(scale.softcap).tanh_().mul_(scale.softcap);
  if (mask.defined()) {
    scores = scores.view({batch, kv_heads, group, rows / group, n_keys});
    scores.masked_fill_(mask.logical_not(), -INFINITY);
    scores = scores.view({batch * kv_heads, rows, n_keys});
  }
  at::Tensor weights = at::softmax(scores, -1, at::kFloat).to(v.scalar_type());
  return at::bmm(weights, v).view({batch, kv_heads, rows, -1});
}

}  // namespace

at::Tensor attention(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v,
                     const AttentionScale& scale, const at::Tensor& mask) {
  const int64_t batch = q.size(0), n_queries = q.size(1), heads = q.size(2), dim = q.size(3);
  const int64_t kv_heads = k.size(1), n_keys = k.size(2);
  TORCH_CHECK(heads % kv_heads == 0 && k.size(0) == batch && k.size(3) == dim && n_keys > 0 &&
                  v.sizes() == k.sizes(),
              "attention: q ", q.sizes(), " does not fit k ", k.sizes(), " and v ", v.sizes());
  const int64_t group = heads / kv_heads;
  const int64_t block = std::max<int64_t>(1, kMaxScores / (batch * heads * n_keys));
  at::Tensor keys = k.flatten(0, 1), values = v.flatten(0, 1);
  std::vector<at::Tensor> parts;
  for (int64_t at = 0; at < n_queries; at += block) {
    const int64_t n = std::min(block, n_queries - at);
    at::Tensor rows = q.narrow(1, at, n).view({batch, n, kv_heads, group, dim});
    rows = rows.permute({0, 2, 3, 1, 4}).reshape({batch, kv_heads, group * n, dim});
    at::Tensor seen = mask.defined() ? mask.narrow(1, at, n).unsqueeze(1).unsqueeze(1) : mask;
    at::Tensor out = attend(rows, keys, values, scale, seen, group);
    out = out.view({batch, kv_heads, group, n, dim}).permute({0, 3, 1, 2, 4});
    parts.push_back(out.reshape({batch, n, heads * dim}));
  }
  return parts.size() == 1 ? parts[0] : at::cat(parts, 1);
}

}  // namespace vidi
