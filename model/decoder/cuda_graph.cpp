#include "model/decoder/cuda_graph.h"

#include <ATen/cuda/CUDAGraph.h>
#include <c10/core/Event.h>
#include <c10/core/StreamGuard.h>
#include <c10/cuda/CUDAStream.h>

#include <map>
#include <optional>

namespace vidi {

namespace {

// Work is not recorded on the default stream. One stream serves all of a thread's recordings: for
// every stream that has seen a product, cuBLAS keeps a workspace (32 MiB on an H200), and the pool
// hands out 32 of them in turn.
c10::cuda::CUDAStream side_stream(c10::DeviceIndex device) {
  static thread_local std::map<c10::DeviceIndex, c10::cuda::CUDAStream> streams;
  auto known = streams.find(device);
  if (known == streams.end()) {
    known = streams.emplace(device, c10::cuda::getStreamFromPool(/*isHighPriority=*/false, device))
                .first;
  }
  return known->second;
}

}  // namespace

struct CudaGraph::Impl {
  c10::cuda::CUDAStream side;
  std::optional<at::cuda::CUDAGraph> graph;
  bool has_run = false;
};

CudaGraph::CudaGraph(c10::Device device) {
  if (records(device)) {
    impl_.reset(new Impl{side_stream(device.index()), {}});
  }
}
CudaGraph::~CudaGraph() = default;
CudaGraph::CudaGraph(CudaGraph&&) noexcept = default;
CudaGraph& CudaGraph::operator=(CudaGraph&&) noexcept = default;

bool CudaGraph::records(c10::Device device) { return device.is_cuda(); }

// Whatever was recorded half is thrown away with the exception.
static void record(std::optional<at::cuda::CUDAGraph>& graph, const std::function<void()>& work) {
  graph.emplace();
  try {
    // Other threads go on using CUDA while this one records.
    graph->capture_begin({0, 0}, cudaStreamCaptureModeThreadLocal);
    work();
    graph->capture_end();
  } catch (...) {
    try {
      graph->capture_end();  // the stream must not stay in recording
    } catch (...) {
    }
    graph.reset();
    throw;
  }
}

void CudaGraph::run(const std::function<void()>& work, bool warm) {
  if (!impl_) return work();
  Impl& i = *impl_;
  const c10::cuda::CUDAStream caller = c10::cuda::getCurrentCUDAStream(i.side.device_index());
  c10::Event before(c10::DeviceType::CUDA), after(c10::DeviceType::CUDA);
  before.record(caller);
  before.block(i.side);
  {
    c10::StreamGuard guard(i.side);
    if (!i.graph && (warm || i.has_run)) record(i.graph, work);
    if (i.graph)
      i.graph->replay();
    else
      work();
    i.has_run = true;
  }
  after.record(i.side);
  after.block(caller);
}

}  // namespace vidi
