#include "kernels/attention/windows_attention.h"

#include <algorithm>
#include <map>

#include "kernels/aten.h"
#include "kernels/attention/windows_launch.h"
#include "kernels/cuda/dispatch.h"

namespace vidi {
namespace {

const void* further(const void* from, int64_t bytes) {
  return static_cast<const char*>(from) + bytes;
}

// Of a task of all rows, `n` from `first` on.
AttentionTask rows_of(AttentionTask task, int64_t first, int64_t n, int64_t element_bytes) {
  for (KeySet* set = task.sets; set < task.sets + task.n_sets; ++set) {
    set->query = further(set->query, first * task.queries * set->query_stride * element_bytes);
    if (!set->positions) continue;
    set->key = further(set->key, first * set->question_stride * element_bytes);
    set->value = further(set->value, first * set->question_stride * element_bytes);
    set->positions += first * task.queries;
  }
  const int64_t width = int64_t{task.heads} * task.head_dim;
  task.out = static_cast<char*>(task.out) + first * task.queries * width * element_bytes;
  task.questions = static_cast<int>(n);
  return task;
}

// Windows that share a tile go together.
using JobsByTile = std::map<int, std::vector<WindowJob>>;

JobsByTile jobs_of(const at::Tensor& q, const OwnKeys& own, const std::vector<WindowKeys>& windows,
                   const AttentionScale& scale, void* out, int64_t* workspace_bytes) {
  DeviceLimits share = device_limits(q.device().index());
  const int n = static_cast<int>(windows.size());
  share.multiprocessors = std::max(1, share.multiprocessors / n);
  JobsByTile jobs;
  int64_t first = 0;
  for (const WindowKeys& window : windows) {
    WindowJob job;
    AttentionTask all = attention_task(q, own, window.shared, scale);
    all.out = out;
    job.task = rows_of(all, first, window.n_rows, q.element_size());
    job.plan = plan_attention(job.task, share);
    job.workspace_at = *workspace_bytes;
    constexpr int64_t kEven = 256;
    const auto bytes = static_cast<int64_t>(job.plan.workspace_bytes());
    *workspace_bytes += (bytes + kEven - 1) / kEven * kEven;
    jobs[job.plan.row_tile].push_back(job);
    first += window.n_rows;
  }
  return jobs;
}

at::Tensor windows_attention_cuda(const at::Tensor& q, const OwnKeys& own,
                                  const std::vector<WindowKeys>& windows,
                                  const AttentionScale& scale) {
  c10::DeviceGuard guard(q.device());
  at::Tensor out = at::empty({q.size(0), q.size(1), q.size(2) * q.size(3)}, q.options());
  int64_t bytes = 0;
  const JobsByTile jobs = jobs_of(q, own, windows, scale, out.data_ptr(), &bytes);
  at::Tensor workspace = at::empty({bytes}, q.options().dtype(at::kByte));
  for (const auto& [tile, its] : jobs) {
    for (size_t at = 0; at < its.size(); at += kMostJobs) {
      WindowJobs some;
      some.n = static_cast<int>(std::min<size_t>(kMostJobs, its.size() - at));
      std::copy_n(its.begin() + static_cast<std::ptrdiff_t>(at), some.n, some.jobs);
      launch_windows_attention(some, element_type(q.scalar_type()), workspace.data_ptr(),
                               current_stream(q.device()));
    }
  }
  return out;
}

}  // namespace

at::Tensor windows_attention_plain(const at::Tensor& q, const OwnKeys& own,
                                   const std::vector<WindowKeys>& windows,
                                   const AttentionScale& scale) {
  std::vector<at::Tensor> parts;
  int64_t first = 0;
  for (const WindowKeys& window : windows) {
    parts.push_back(summed_attention(q.narrow(0, first, window.n_rows),
                                     own.rows(first, window.n_rows), window.shared, scale));
    first += window.n_rows;
  }
  return at::cat(parts);
}

at::Tensor windows_attention(const at::Tensor& q, const OwnKeys& own,
                             const std::vector<WindowKeys>& windows, const AttentionScale& scale) {
  if (windows.size() == 1) return summed_attention(q, own, windows.front().shared, scale);
  if (!attention_kernel_runs(q.device(), q.scalar_type(), q.size(3)))
    return windows_attention_plain(q, own, windows, scale);
  return windows_attention_cuda(q, own, windows, scale);
}

}  // namespace vidi
