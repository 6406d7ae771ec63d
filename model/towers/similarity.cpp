#include "model/towers/similarity.h"

#include <tuple>

#include "kernels/aten.h"
#include "model/towers/tower_features.h"

namespace vidi {
namespace {

constexpr double kSmallestLength = 1e-12;  // features may be zeros

// [P, C]
at::Tensor patches_of(const FrameFeatures* features) {
  return own_kind<TowerFrame>(features, "a picture").patches.to(at::kFloat);
}

at::Tensor lengths_of(const at::Tensor& patches) { return patches.square().sum(-1).sqrt(); }

}  // namespace

std::vector<double> similarities_to(const FrameFeatures& reference, const FrameList& frames) {
  if (frames.empty()) return {};
  const at::Tensor one = patches_of(&reference);  // [P, C]
  std::vector<at::Tensor> each;
  for (const auto& frame : frames) each.push_back(patches_of(frame.get()).to(one.device()));
  const at::Tensor all = at::stack(each);  // [n, P, C]
  const at::Tensor lengths = lengths_of(one).mul(lengths_of(all)).clamp_min(kSmallestLength);
  const at::Tensor cosines = all.mul(one).sum(-1).div(lengths);  // [n, P]
  const at::Tensor least = std::get<0>(cosines.min(-1)).to(at::kCPU).to(at::kDouble).contiguous();
  return {least.data_ptr<double>(), least.data_ptr<double>() + least.numel()};
}

}  // namespace vidi
