// A build without nvcc: no device has limits, so nobody launches.
#include <stdexcept>

#include "kernels/attention/attention_launch.h"
#include "kernels/attention/key_matrix_launch.h"
#include "kernels/attention/windows_launch.h"
#include "kernels/cuda/device_limits.h"
#include "kernels/layers/argmax_launch.h"
#include "kernels/layers/gated_mlp_launch.h"
#include "kernels/layers/layer_norm_launch.h"
#include "kernels/layers/norm_launch.h"
#include "kernels/layers/packed_linear_launch.h"
#include "kernels/layers/rope_launch.h"

namespace vidi {

[[noreturn]] static void refuse() { throw std::runtime_error("this build has no CUDA kernels"); }

DeviceLimits device_limits(int) { return {}; }
KernelSupport kernel_support(int) { return {}; }

void launch_attention(const AttentionTask&, const AttentionPlan&, ElementType, void*, void*) {
  refuse();
}
void launch_windows_attention(const WindowJobs&, ElementType, void*, void*) { refuse(); }
void launch_pack_keys(const PackKeysTask&, ElementType, void*) { refuse(); }
void launch_norm(const NormTask&, ElementType, void*) { refuse(); }
void launch_layer_norm(const LayerNormTask&, ElementType, void*) { refuse(); }
void launch_gate(const GateTask&, ElementType, void*) { refuse(); }
void launch_argmax(const ArgmaxTask&, ElementType, void*) { refuse(); }
void launch_rope(const RopeTask&, ElementType, void*) { refuse(); }

int packed_splits(int64_t, int, int, int) { return 1; }
int64_t packed_workspace(int64_t, int, int) { return 0; }
int64_t packed_counters(int64_t) { return 0; }
void launch_packed_product(const PackedProductTask&, ElementType, void*) { refuse(); }
void launch_unpack(const PackedTask&, int64_t, int64_t, void*, ElementType, void*) { refuse(); }
void launch_unpack_folded(const PackedTask&, int, int, void*, ElementType, void*) { refuse(); }
void launch_unpack_rows(const PackedTask&, const int64_t*, int64_t, void*, ElementType, void*) {
  refuse();
}
void launch_pack(const void*, int64_t, int64_t, const PackedTask&, ElementType, void*) { refuse(); }

}  // namespace vidi
