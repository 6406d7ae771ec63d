#include "kernels/attention/attention.h"

#include <ATen/Parallel.h>
#include <c10/core/DeviceGuard.h>

#include <algorithm>
#include <limits>
#include <vector>

#include "kernels/aten.h"
#include "kernels/attention/attention_launch.h"
#include "kernels/attention/gemv.h"
#include "kernels/cuda/dispatch.h"
#include "kernels/layers/pieces.h"

namespace vidi {
namespace {

// Scores of one block of queries: 64 M values are 256 MB in float32.
constexpr int64_t kMaxScores = int64_t{64} << 20;

// Queries of one block; 1 or more. On the CPU they are one piece of work (interruption.h).
int64_t queries_at_once(const at::Tensor& q, int64_t n_keys) {
  const int64_t scores = q.size(0) * q.size(2) * n_keys;  // of one query of every question
  int64_t most = kMaxScores / scores;
  if (q.is_cpu()) {
    most = std::min(most, rows_in_piece(4.0 * static_cast<double>(scores * q.size(3))));
  }
  return std::max<int64_t>(1, most);
}

bool has_few_rows(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v) {
  auto fits = [](const at::Tensor& t) {
    return t.is_cpu() && t.scalar_type() == at::kFloat && t.stride(-1) == 1;
  };
  return q.size(2) <= kGemvRows && fits(q) && fits(k) && fits(v);
}

// Heads that a thread takes at least: a small product is not worth waking one.
int64_t heads_at_once(const at::Tensor& q, const at::Tensor& k) {
  return std::max<int64_t>(1, (int64_t{1} << 20) / (q.size(2) * k.size(1) * k.size(2)));
}

// q [B, kv_heads, rows, D], k [B * kv_heads, S, D] -> [B * kv_heads, rows, S].
at::Tensor score(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v) {
  if (!has_few_rows(q, k, v)) return at::bmm(q.flatten(0, 1), k.transpose(1, 2));
  const int64_t rows = q.size(2), dim = q.size(3), n = k.size(1);
  at::Tensor scores = at::empty({k.size(0), rows, n}, q.options());
  const at::Tensor packed = q.contiguous();
  const float *from = packed.const_data_ptr<float>(), *keys = k.const_data_ptr<float>();
  float* to = scores.mutable_data_ptr<float>();
  at::parallel_for(0, k.size(0), heads_at_once(q, k), [&](int64_t begin, int64_t end) {
    for (int64_t h = begin; h < end; ++h) {
      gemv(from + h * rows * dim, rows, dim, keys + h * k.stride(0), k.stride(1), n,
           to + h * rows * n);
    }
  });
  return scores;
}

// weights [B * kv_heads, rows, S] contiguous, v [B * kv_heads, S, D] -> [B * kv_heads, rows, D].
at::Tensor weigh(const at::Tensor& weights, const at::Tensor& q, const at::Tensor& k,
                 const at::Tensor& v) {
  if (!has_few_rows(q, k, v)) return at::bmm(weights, v);
  const int64_t rows = q.size(2), dim = v.size(2), n = v.size(1);
  at::Tensor out = at::empty({v.size(0), rows, dim}, v.options());
  const float *from = weights.const_data_ptr<float>(), *values = v.const_data_ptr<float>();
  float* to = out.mutable_data_ptr<float>();
  at::parallel_for(0, v.size(0), heads_at_once(q, v), [&](int64_t begin, int64_t end) {
    for (int64_t h = begin; h < end; ++h) {
      gemv_transposed(from + h * rows * n, rows, n, values + h * v.stride(0), v.stride(1), dim,
                      to + h * rows * dim);
    }
  });
  return out;
}

// q [B, kv_heads, G * T, D], k and v [B * kv_heads, S, D], mask [B, 1, 1, T, S] or undefined.
// `log_sum`, if wanted, becomes [B, kv_heads, G * T, 1] float32.
at::Tensor attend(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v,
                  const AttentionScale& scale, const at::Tensor& mask, int64_t group,
                  at::Tensor* log_sum) {
  const int64_t batch = q.size(0), kv_heads = q.size(1), rows = q.size(2), n_keys = k.size(1);
  at::Tensor scores = score(q, k, v).mul_(scale.scale);
  if (scale.softcap > 0) scores.div_(scale.softcap).tanh_().mul_(scale.softcap);
  if (mask.defined()) {
    scores = scores.view({batch, kv_heads, group, rows / group, n_keys});
    scores.masked_fill_(mask.logical_not(), -INFINITY);
    scores = scores.view({batch * kv_heads, rows, n_keys});
  }
  if (log_sum) *log_sum = scores.to(at::kFloat).logsumexp(-1).view({batch, kv_heads, rows, 1});
  at::Tensor weights = at::softmax(scores, -1, at::kFloat).to(v.scalar_type());
  return weigh(weights, q, k, v).view({batch, kv_heads, rows, -1});
}

// As attention(); `log_sum`, if wanted, becomes [B, T, heads] float32 (AttentionPart).
at::Tensor attend_all(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v,
                      const AttentionScale& scale, const at::Tensor& mask, at::Tensor* log_sum) {
  const int64_t batch = q.size(0), n_queries = q.size(1), heads = q.size(2), dim = q.size(3);
  const int64_t kv_heads = k.size(1), n_keys = k.size(2);
  TORCH_CHECK(heads % kv_heads == 0 && k.size(0) == batch && k.size(3) == dim && n_keys > 0 &&
                  v.sizes() == k.sizes(),
              "attention: q ", q.sizes(), " does not fit k ", k.sizes(), " and v ", v.sizes());
  const int64_t group = heads / kv_heads;
  const int64_t block = queries_at_once(q, n_keys);
  at::Tensor keys = k.flatten(0, 1), values = v.flatten(0, 1);
  std::vector<at::Tensor> parts, sums;
  for (int64_t at = 0; at < n_queries; at += block) {
    interruption_point();
    const int64_t n = std::min(block, n_queries - at);
    const auto by_query = [&](const at::Tensor& x) {
      return x.view({batch, kv_heads, group, n, -1})
          .permute({0, 3, 1, 2, 4})
          .reshape({batch, n, -1});
    };
    at::Tensor rows = q.narrow(1, at, n).view({batch, n, kv_heads, group, dim});
    rows = rows.permute({0, 2, 3, 1, 4}).reshape({batch, kv_heads, group * n, dim});
    at::Tensor seen = mask.defined() ? mask.narrow(1, at, n).unsqueeze(1).unsqueeze(1) : mask;
    at::Tensor sum;
    parts.push_back(
        by_query(attend(rows, keys, values, scale, seen, group, log_sum ? &sum : nullptr)));
    if (log_sum) sums.push_back(by_query(sum));
  }
  if (log_sum) *log_sum = at::cat(sums, 1);
  return parts.size() == 1 ? parts[0] : at::cat(parts, 1);
}

}  // namespace

at::Tensor attention(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v,
                     const AttentionScale& scale, const at::Tensor& mask) {
  return attend_all(q, k, v, scale, mask, nullptr);
}

OwnKeys OwnKeys::rows(int64_t first, int64_t n) const {
  OwnKeys rows = *this;
  for (at::Tensor* t : {&rows.key, &rows.value, &rows.q, &rows.positions, &rows.mask}) {
    if (t->defined()) *t = t->narrow(0, first, n);
  }
  return rows;
}

at::Tensor visible_keys(const at::Tensor& positions, int64_t n_keys, int64_t window_keys) {
  at::Tensor key = at::arange(n_keys, positions.options());
  at::Tensor query = positions.unsqueeze(-1);
  at::Tensor mask = key <= query;
  if (window_keys > 0) mask = mask.logical_and_(key > query - window_keys);
  return mask;
}

namespace {

// The queries as they see these keys.
at::Tensor turned_as(const at::Tensor& q, const SharedKeys& keys) {
  const Rotation& rotation = keys.key.rotation();
  return rotation.defined() ? rotation.queries(q) : q;
}

// [1, kv_heads, S, D]
at::Tensor heads_apart(const KeyMatrix& keys, int64_t dim) {
  if (keys.is_packed()) return keys.expanded_heads().unsqueeze(0);
  const at::Tensor& x = keys.native();
  return x.view({x.size(0), x.size(1) / dim, dim}).transpose(0, 1).unsqueeze(0);
}

// [B, T, heads * D]. Every row of every question reads the same keys: one question of many rows.
at::Tensor attend_shared(const at::Tensor& q, const SharedKeys& keys, const AttentionScale& scale,
                         at::Tensor* log_sum) {
  const int64_t batch = q.size(0), n = q.size(1), heads = q.size(2), dim = q.size(3);
  const at::Tensor rows = turned_as(q, keys).reshape({1, batch * n, heads, dim});
  const at::Tensor out = attend_all(rows, heads_apart(keys.key, dim), heads_apart(keys.value, dim),
                                    scale, {}, log_sum);
  if (log_sum) *log_sum = log_sum->view({batch, n, heads});
  return out.view({batch, n, heads * dim});
}

}  // namespace

at::Tensor summed_attention_plain(const at::Tensor& q, const OwnKeys& own,
                                  const std::vector<SharedKeys>& shared,
                                  const AttentionScale& scale) {
  at::Tensor sum;
  auto add = [&](const at::Tensor& x) { sum = sum.defined() ? sum + x : x; };
  if (own.key.defined()) {
    at::Tensor mask =
        own.mask.defined() ? own.mask : visible_keys(own.positions, own.n_slots, own.window_keys);
    add(attention(own.q, own.key.narrow(2, 0, own.n_slots), own.value.narrow(2, 0, own.n_slots),
                  scale, mask));
  }
  for (const SharedKeys& keys : shared) add(attend_shared(q, keys, scale, nullptr));
  return sum;
}

std::vector<AttentionPart> attention_parts_plain(const at::Tensor& q,
                                                 const std::vector<SharedKeys>& shared,
                                                 const AttentionScale& scale) {
  std::vector<AttentionPart> parts;
  for (const SharedKeys& keys : shared) {
    AttentionPart& part = parts.emplace_back();
    part.out = attend_shared(q, keys, scale, &part.log_sum).to(at::kFloat).view(q.sizes());
  }
  return parts;
}

// What a part counts is its share of the exponentials of all keys' scores.
at::Tensor merged_attention(const std::vector<AttentionPart>& parts) {
  TORCH_CHECK(!parts.empty(), "merged_attention: no parts");
  if (parts.size() == 1) return parts.front().out.flatten(2);
  std::vector<at::Tensor> outs, sums;
  for (const AttentionPart& part : parts) outs.push_back(part.out), sums.push_back(part.log_sum);
  const at::Tensor weights = at::softmax(at::stack(sums), 0).unsqueeze(-1);
  return at::stack(outs).mul_(weights).sum(0).flatten(2);
}

bool attention_kernel_runs(at::Device device, at::ScalarType dtype, int64_t head_dim) {
  return own_kernels_run(device, dtype) && attention_kernel_has(static_cast<int>(head_dim));
}

namespace {

void check_fits(bool fits, const char* what, const at::Tensor& q, const at::Tensor& key) {
  TORCH_CHECK(fits, "summed_attention: ", what, ": q ", q.sizes(), ", keys ", key.sizes());
}

// What all sets ask of their keys and values.
void check_alike(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v) {
  check_fits(v.sizes() == k.sizes() && v.strides() == k.strides(), "values are not as the keys", q,
             k);
  check_fits(k.scalar_type() == q.scalar_type() && v.scalar_type() == q.scalar_type() &&
                 k.device() == q.device() && v.device() == q.device(),
             "keys of another dtype or device", q, k);
  check_fits(k.stride(-1) == 1 && k.stride(0) % 8 == 0 && is_aligned(k) && is_aligned(v),
             "keys need rows of 16-byte pieces", q, k);
}

KeySet own_set(const at::Tensor& q, const OwnKeys& own) {
  const at::Tensor &k = own.key, &v = own.value;
  check_alike(q, k, v);
  check_fits(k.dim() == 4 && k.size(0) == q.size(0) && k.size(3) == q.size(3) && k.is_contiguous(),
             "own keys do not fit", q, k);
  check_fits(own.q.sizes() == q.sizes() && own.q.scalar_type() == q.scalar_type() &&
                 own.q.device() == q.device() && has_even_rows(own.q),
             "the queries of the own keys are not as the others", q, k);
  check_fits(own.positions.scalar_type() == at::kLong && own.positions.device() == q.device() &&
                 own.positions.is_contiguous() && own.positions.numel() == q.size(0) * q.size(1),
             "positions do not fit", q, k);
  KeySet set;
  set.query = own.q.data_ptr(), set.query_stride = own.q.stride(1);
  set.key = k.data_ptr(), set.value = v.data_ptr();
  set.key_stride = k.stride(2), set.head_stride = k.stride(1), set.question_stride = k.stride(0);
  set.n_keys = static_cast<int>(k.size(2));
  set.positions = own.positions.data_ptr<int64_t>();
  set.window_keys = static_cast<int>(std::min<int64_t>(own.window_keys, k.size(2)));
  return set;
}

KeySet shared_set(const at::Tensor& q, const at::Tensor& key, const at::Tensor& value,
                  int64_t n_keys) {
  check_fits(n_keys > 0 && n_keys < std::numeric_limits<int>::max() / 2, "too many keys, or none",
             q, key);
  KeySet set;
  set.query = q.data_ptr(), set.query_stride = q.stride(1);
  set.key = key.data_ptr(), set.value = value.data_ptr();
  set.n_keys = static_cast<int>(n_keys);
  return set;
}

KeySet native_set(const at::Tensor& q, const SharedKeys& keys, int64_t kv_heads) {
  const at::Tensor &k = keys.key.native(), &v = keys.value.native();
  check_alike(q, k, v);
  check_fits(k.dim() == 2 && k.size(1) == kv_heads * q.size(3), "shared keys do not fit", q, k);
  KeySet set = shared_set(q, k, v, k.size(0));
  set.key_stride = k.stride(0), set.head_stride = q.size(3);
  return set;
}

KeySet packed_set(const at::Tensor& q, const SharedKeys& keys, int64_t kv_heads) {
  const at::Tensor &k = keys.key.bytes(), &v = keys.value.bytes();
  const at::Tensor &k_scales = keys.key.scales(), &v_scales = keys.value.scales();
  check_fits(keys.value.is_packed() && v.sizes() == k.sizes() && k.device() == q.device() &&
                 v.device() == q.device() && k_scales.scalar_type() == q.scalar_type() &&
                 v_scales.scalar_type() == q.scalar_type() && k_scales.sizes() == v_scales.sizes(),
             "packed values are not as the keys", q, k);
  check_fits(k.size(0) == kv_heads && k.size(2) == q.size(3) && keys.key.rotation().defined(),
             "packed keys do not fit", q, k);
  KeySet set = shared_set(q, k, v, k.size(1));
  set.key_stride = k.size(2), set.head_stride = k.stride(0);
  set.key_scales = k_scales.data_ptr(), set.value_scales = v_scales.data_ptr();
  set.scale_stride = k_scales.stride(0);
  return set;
}

// The kernels' work on `task`, whose results have their places.
void run_kernels(const AttentionTask& task, const at::Tensor& q) {
  const AttentionPlan plan = plan_attention(task, device_limits(q.device().index()));
  const auto bytes = static_cast<int64_t>(plan.workspace_bytes());
  at::Tensor workspace = at::empty({bytes}, q.options().dtype(at::kByte));
  launch_attention(task, plan, element_type(q.scalar_type()), workspace.data_ptr(),
                   current_stream(q.device()));
}

at::Tensor summed_attention_cuda(const at::Tensor& q, const OwnKeys& own,
                                 const std::vector<SharedKeys>& shared,
                                 const AttentionScale& scale) {
  c10::DeviceGuard guard(q.device());
  AttentionTask task = attention_task(q, own, shared, scale);
  at::Tensor out = at::empty({q.size(0), q.size(1), q.size(2) * q.size(3)}, q.options());
  task.out = out.data_ptr();
  run_kernels(task, q);
  return out;
}

std::vector<AttentionPart> attention_parts_cuda(const at::Tensor& q,
                                                const std::vector<SharedKeys>& shared,
                                                const AttentionScale& scale) {
  c10::DeviceGuard guard(q.device());
  AttentionTask task = attention_task(q, {}, shared, scale);
  const auto n_sets = static_cast<int64_t>(shared.size());
  const at::TensorOptions floats = q.options().dtype(at::kFloat);
  const at::Tensor outs = at::empty({n_sets, q.size(0), q.size(1), q.size(2), q.size(3)}, floats);
  const at::Tensor sums = at::empty({n_sets, q.size(0), q.size(1), q.size(2)}, floats);
  task.set_outs = outs.data_ptr<float>(), task.set_log_sums = sums.data_ptr<float>();
  run_kernels(task, q);
  std::vector<AttentionPart> parts;
  for (int64_t i = 0; i < n_sets; ++i) parts.push_back({outs[i], sums[i]});
  return parts;
}

}  // namespace

AttentionTask attention_task(const at::Tensor& q, const OwnKeys& own,
                             const std::vector<SharedKeys>& shared, const AttentionScale& scale) {
  TORCH_CHECK(has_even_rows(q), "summed_attention: q must have even rows of contiguous heads");
  TORCH_CHECK(shared.size() + own.key.defined() <= kMaxKeySets, "summed_attention: at most ",
              kMaxKeySets, " sets of keys, found ", shared.size() + own.key.defined());
  const int64_t kv_heads =
      own.key.defined() ? own.key.size(1) : shared.at(0).key.width() / q.size(3);
  check_fits(kv_heads > 0 && q.size(2) % kv_heads == 0, "heads do not fit", q,
             own.key.defined() ? own.key : q);
  AttentionTask task;
  task.questions = static_cast<int>(q.size(0)), task.queries = static_cast<int>(q.size(1));
  task.heads = static_cast<int>(q.size(2)), task.kv_heads = static_cast<int>(kv_heads);
  task.head_dim = static_cast<int>(q.size(3));
  task.scale = static_cast<float>(scale.scale), task.softcap = static_cast<float>(scale.softcap);
  // The short units first: they end while the long ones still run.
  if (own.key.defined()) task.sets[task.n_sets++] = own_set(q, own);
  for (const SharedKeys& keys : shared) {
    task.sets[task.n_sets++] =
        keys.key.is_packed() ? packed_set(q, keys, kv_heads) : native_set(q, keys, kv_heads);
  }
  return task;
}

at::Tensor summed_attention(const at::Tensor& q, const OwnKeys& own,
                            const std::vector<SharedKeys>& shared, const AttentionScale& scale) {
  TORCH_CHECK(own.key.defined() || !shared.empty(), "summed_attention: no keys");
  if (!attention_kernel_runs(q.device(), q.scalar_type(), q.size(3)))
    return summed_attention_plain(q, own, shared, scale);
  return summed_attention_cuda(q, own, shared, scale);
}

std::vector<AttentionPart> attention_parts(const at::Tensor& q,
                                           const std::vector<SharedKeys>& shared,
                                           const AttentionScale& scale) {
  if (shared.empty()) return {};
  if (!attention_kernel_runs(q.device(), q.scalar_type(), q.size(3)))
    return attention_parts_plain(q, shared, scale);
  return attention_parts_cuda(q, shared, scale);
}

}  // namespace vidi
