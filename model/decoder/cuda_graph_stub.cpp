// Builds without CUDA's headers: nothing is recorded.
#include "model/decoder/cuda_graph.h"

namespace vidi {

struct Replay::Impl {};

Replay::Replay(c10::Device) {}
Replay::~Replay() = default;
Replay::Replay(Replay&&) noexcept = default;
Replay& Replay::operator=(Replay&&) noexcept = default;

void Replay::run(const std::function<void()>& work, bool) { work(); }

bool Replay::records(c10::Device) { return false; }

}  // namespace vidi
