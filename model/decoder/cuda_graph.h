// Work that is the same again and again, recorded once: on CUDA hundreds of launches become one
// (a CUDA graph), elsewhere it simply runs.
#pragma once

#include <c10/core/Device.h>

#include <functional>
#include <memory>

namespace vidi {

// One thread. Everything that `work` reads and writes must stay where it is for as long as this
// lives, but for tensors that `work` makes for itself; it must neither wait for the device nor
// read from it.
class CudaGraph {
 public:
  explicit CudaGraph(c10::Device device);
  ~CudaGraph();
  CudaGraph(CudaGraph&&) noexcept;
  CudaGraph& operator=(CudaGraph&&) noexcept;

  // In the order of the current stream. `warm`: the same kind of work has run before, so that it
  // may be recorded at once; else the first run is a plain one. A recording that another thread of
  // the application spoils is given up for this run, which is a plain one then.
  void run(const std::function<void()>& work, bool warm);

  // Recording happens for this device.
  static bool records(c10::Device device);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace vidi
