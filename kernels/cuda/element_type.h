// Of the numbers that a CUDA kernel reads and writes. Plain, for .cu files too.
#pragma once

namespace vidi {

enum class ElementType { kHalf, kBFloat16, kFloat };  // kFloat: launch_pick alone

constexpr int kMaxNormWidth = 8192;  // numbers of a row that the norms' kernels take

}  // namespace vidi
