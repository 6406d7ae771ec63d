// In place of cuda_memory.cpp and cuda_context.cpp where gstreamer-cuda is not found.
#include "gst/media/cuda_context.h"
#include "gst/media/cuda_memory.h"

namespace vidi {

GstCaps* cuda_template_caps() { return gst_caps_new_empty(); }
bool in_cuda_memory(const GstCaps*) { return false; }
std::unique_ptr<PictureReader> make_cuda_reader(const GstVideoInfo&, DeviceReading,
                                                const Orientation&,
                                                std::unique_ptr<PictureReader> download) {
  return download;
}

bool CudaContext::answer(GstElement*, GstQuery*, const std::string&) { return false; }
void CudaContext::take(GstElement*, GstContext*, const std::string&) {}
void CudaContext::forget() {}

}  // namespace vidi
