// A build without nvcc: no device has limits, so nobody launches.
#include <stdexcept>

#include "kernels/attention/attention_launch.h"
#include "kernels/cuda/device_limits.h"
#include "kernels/layers/argmax_launch.h"
#include "kernels/layers/gated_mlp_launch.h"
#include "kernels/layers/layer_norm_launch.h"
#include "kernels/layers/norm_launch.h"
#include "kernels/layers/rope_launch.h"

namespace vidi {

[[noreturn]] static void refuse() { throw std::runtime_error("this build has no CUDA kernels"); }

DeviceLimits device_limits(int) { return {}; }

void launch_attention(const AttentionTask&, const AttentionPlan&, ElementType, void*, void*) {
  refuse();
}
void launch_norm(const NormTask&, ElementType, void*) { refuse(); }
void launch_layer_norm(const LayerNormTask&, ElementType, void*) { refuse(); }
void launch_gate(const GateTask&, ElementType, void*) { refuse(); }
void launch_argmax(const ArgmaxTask&, ElementType, void*) { refuse(); }
void launch_rope(const RopeTask&, ElementType, void*) { refuse(); }

}  // namespace vidi
