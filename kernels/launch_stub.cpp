// A build without nvcc: no device has limits, so nobody launches.
#include <stdexcept>

#include "kernels/attention_launch.h"
#include "kernels/device_limits.h"
#include "kernels/gated_mlp_launch.h"
#include "kernels/layer_norm_launch.h"
#include "kernels/norm_launch.h"
#include "kernels/pick_launch.h"
#include "kernels/rope_launch.h"

namespace vidi {

[[noreturn]] static void refuse() { throw std::runtime_error("this build has no CUDA kernels"); }

DeviceLimits device_limits(int) { return {}; }

void launch_attention(const AttentionTask&, const AttentionPlan&, ElementType, void*, void*) {
  refuse();
}
void launch_norm(const NormTask&, ElementType, void*) { refuse(); }
void launch_layer_norm(const LayerNormTask&, ElementType, void*) { refuse(); }
void launch_gate(const GateTask&, ElementType, void*) { refuse(); }
void launch_pick(const PickTask&, ElementType, void*) { refuse(); }
void launch_rope(const RopeTask&, ElementType, void*) { refuse(); }

}  // namespace vidi
