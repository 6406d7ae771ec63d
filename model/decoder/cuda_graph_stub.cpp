// Builds without CUDA's headers: nothing is recorded.
#include "model/decoder/cuda_graph.h"

namespace vidi {

struct CudaGraph::Impl {};

CudaGraph::CudaGraph(c10::Device) {}
CudaGraph::~CudaGraph() = default;
CudaGraph::CudaGraph(CudaGraph&&) noexcept = default;
CudaGraph& CudaGraph::operator=(CudaGraph&&) noexcept = default;

void CudaGraph::run(const std::function<void()>& work, bool) { work(); }

bool CudaGraph::records(c10::Device) { return false; }

}  // namespace vidi
