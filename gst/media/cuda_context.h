// One CUDA context for the neighbours: the primary one, which libtorch uses, so that decoders put
// their pictures where the engine reads them. Nothing is loaded before somebody asks. Built from
// cuda_context.cpp with gstreamer-cuda, else from cuda_stub.cpp, which has none. Thread-safe.
#pragma once

#include <gst/gst.h>

#include <mutex>
#include <string>

namespace vidi {

class CudaContext {
 public:
  CudaContext() = default;
  CudaContext(const CudaContext&) = delete;
  ~CudaContext() { forget(); }

  // Answers a CONTEXT query for gst.cuda.context; false when it is about another kind or this
  // machine has no such device. `device` is the element's property. Posts HAVE_CONTEXT when the
  // context is new.
  bool answer(GstElement* element, GstQuery* query, const std::string& device);
  // GstElement::set_context: the pipeline has one already, which is handed on from now.
  void take(GstElement* element, GstContext* context, const std::string& device);
  void forget();

 private:
  std::mutex mutex_;
  GstObject* context_ = nullptr;  // a GstCudaContext
};

}  // namespace vidi
