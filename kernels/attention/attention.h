// Grouped-query attention with an optional soft cap. Keys and values are never repeated in memory:
// the query heads that share a key/value head become rows of one matrix product.
#pragma once

#include <ATen/core/Tensor.h>

#include <vector>

#include "kernels/attention/attention_plan.h"
#include "kernels/attention/key_matrix.h"

namespace vidi {

struct AttentionScale {
  double scale = 1;
  double softcap = 0;  // 0 = none; else logits = softcap * tanh(logits / softcap)
};

// q [B, T, heads, D]; k, v [B, kv_heads, S, D] (any strides with the last one 1); query head j
// reads key/value head j div (heads / kv_heads). `mask` bool [B, T, S], true = the query sees the
// key, or undefined = sees all. Softmax in float32. Returns [B, T, heads * D]. Scores are made for
// a bounded number of queries at a time. CPU and CUDA through ATen.
at::Tensor attention(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v,
                     const AttentionScale& scale, const at::Tensor& mask);

// bool [B, T, n_keys] for positions [B, T]: keys at or before the query, and with window_keys > 0
// only that many of them.
at::Tensor visible_keys(const at::Tensor& positions, int64_t n_keys, int64_t window_keys);

// Keys and values of each question's own text. A query at position p sees slots up to p, with
// window_keys > 0 only that many of them.
struct OwnKeys {
  at::Tensor key, value;    // [B, kv_heads, slots, D], contiguous
  at::Tensor q;             // [B, T, heads, D]: the text's queries as these keys are turned (rope)
  at::Tensor positions;     // [B, T] int64
  int64_t n_slots = 0;      // slots that any query sees; the CUDA kernel goes by `positions`
  int64_t window_keys = 0;  // 0 = all
  at::Tensor mask;          // visible_keys(positions, n_slots, window_keys), if made already
  OwnKeys rows(int64_t first, int64_t n) const;  // of `n` questions, from `first` on
};

// Keys and values that every query of every question sees, [S, kv_heads * D], S >= 1.
struct SharedKeys {
  KeyMatrix key, value;
};

// A text's attention in one layer: to its own keys (undefined `own.key`: none) and with q
// [B, T, heads, D] to each of `shared`. Every one has a softmax of its own, and the results are
// added. Returns [B, T, heads * D].
//
// Where attention_kernel_runs: two kernels for everything (attention.cu), which a CUDA graph can
// record; else one attention() after the other, which is the specification, for which packed keys
// and values are expanded, those of a layer at a time.
at::Tensor summed_attention(const at::Tensor& q, const OwnKeys& own,
                            const std::vector<SharedKeys>& shared, const AttentionScale& scale);
at::Tensor summed_attention_plain(const at::Tensor& q, const OwnKeys& own,
                                  const std::vector<SharedKeys>& shared,
                                  const AttentionScale& scale);

// What some of the keys of one softmax give, to be put together with what the others give, which
// may be on another device.
struct AttentionPart {
  at::Tensor out;      // [B, T, heads, D] float32, as if these were all
  at::Tensor log_sum;  // [B, T, heads] float32: of exp(score) over these keys, its logarithm
};
// One for each of `shared`. As summed_attention(), with the same kernels.
std::vector<AttentionPart> attention_parts(const at::Tensor& q,
                                           const std::vector<SharedKeys>& shared,
                                           const AttentionScale& scale);
std::vector<AttentionPart> attention_parts_plain(const at::Tensor& q,
                                                 const std::vector<SharedKeys>& shared,
                                                 const AttentionScale& scale);
// Parts of one softmax, one at least and all on one device, as one: [B, T, heads * D] float32.
at::Tensor merged_attention(const std::vector<AttentionPart>& parts);

// The same call in raw pointers, for launch_attention; `out` stays null. Throws c10::Error when the
// tensors do not fit each other or the kernel.
AttentionTask attention_task(const at::Tensor& q, const OwnKeys& own,
                             const std::vector<SharedKeys>& shared, const AttentionScale& scale);

// Half precision on a CUDA device, head size 128 or 256.
bool attention_kernel_runs(at::Device device, at::ScalarType dtype, int64_t head_dim);
}  // namespace vidi
