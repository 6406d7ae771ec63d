#include "model/decoder/cuda_graph.h"

#include <ATen/core/CachingHostAllocator.h>
#include <ATen/cuda/CUDAGraph.h>
#include <c10/core/Event.h>
#include <c10/core/StreamGuard.h>
#include <c10/cuda/CUDACachingAllocator.h>
#include <c10/cuda/CUDAStream.h>

#include <map>
#include <mutex>
#include <optional>

namespace vidi {

namespace {

constexpr int kMostAttempts = 3;  // each costs the launches of a run

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
  int n_spoiled = 0;
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

namespace {

using Graph = std::optional<at::cuda::CUDAGraph>;

template <class Step>
void in_any_case(Step step) {
  try {
    step();
  } catch (...) {
  }
}

// libtorch ends the pool of a recording only when CUDA ended it well, and until then asks the graph
// for every allocation whether it belongs to it.
void throw_away(Graph& graph, c10::DeviceIndex device, c10::MempoolId_t pool) {
  namespace allocator = c10::cuda::CUDACachingAllocator;
  in_any_case([&] { graph->capture_end(); });  // the stream must not stay in recording
  in_any_case([&] {
    allocator::endAllocateToPool(device, pool);  // throws when libtorch did
    at::getHostAllocator(at::kCUDA)->end_allocate_to_pool(pool);
    allocator::releasePool(device, pool);
    at::getHostAllocator(at::kCUDA)->release_pool(pool);
  });
  graph.reset();
}

bool is_spoiled(const c10::cuda::CUDAStream& stream) {
  cudaStreamCaptureStatus status{};
  return cudaStreamIsCapturing(stream, &status) == cudaSuccess &&
         status == cudaStreamCaptureStatusInvalidated;
}

// False when somebody else spoiled it: any thread of the application that waits for the whole
// device (cudaDeviceSynchronize) ends all recordings on it, whatever their mode. Nothing was done
// then. One at a time in a process: libtorch's allocator was made for no more.
bool record(Graph& graph, const c10::cuda::CUDAStream& stream, const std::function<void()>& work) {
  static std::mutex one_at_a_time;
  const std::lock_guard lock(one_at_a_time);
  const c10::MempoolId_t pool = at::cuda::graph_pool_handle();
  bool is_whole = false;
  graph.emplace();
  try {
    // Other threads go on using CUDA while this one records.
    graph->capture_begin(pool, cudaStreamCaptureModeThreadLocal);
    work();
    is_whole = true;
    graph->capture_end();
    return true;
  } catch (...) {
    const bool work_is_right = is_whole || is_spoiled(stream);
    throw_away(graph, stream.device_index(), pool);
    if (!work_is_right) throw;
    return false;
  }
}

}  // namespace

void CudaGraph::run(const std::function<void()>& work, bool warm) {
  if (!impl_) return work();
  Impl& i = *impl_;
  const c10::cuda::CUDAStream caller = c10::cuda::getCurrentCUDAStream(i.side.device_index());
  c10::Event before(c10::DeviceType::CUDA), after(c10::DeviceType::CUDA);
  before.record(caller);
  before.block(i.side);
  {
    c10::StreamGuard guard(i.side);
    if (!i.graph && (warm || i.has_run) && i.n_spoiled < kMostAttempts)
      i.n_spoiled += !record(i.graph, i.side, work);
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
