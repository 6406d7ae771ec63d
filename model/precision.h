// In what the engine computes.
#pragma once

namespace vidi {

enum class Precision { kAuto, kFp32, kFp16, kBf16 };  // auto: fp16 on CUDA, fp32 on the CPU

}  // namespace vidi
