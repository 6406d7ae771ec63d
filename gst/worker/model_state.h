// Property `model-state`.
#pragma once

namespace vidi {

enum class ModelState { kUnloaded, kLoading, kReady, kFailed };

}  // namespace vidi
