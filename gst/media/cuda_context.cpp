#include "gst/media/cuda_context.h"

#include <dlfcn.h>
#include <gst/cuda/gstcudaloader.h>
#include <gst/cuda/gstcudamemory.h>
#include <gst/cuda/gstcudautils.h>

#include <charconv>
#include <optional>

namespace vidi {
namespace {

// The property's device as the driver counts; nothing for the CPU. `auto` is the first.
std::optional<int> ordinal_of(const std::string& device) {
  if (device == "auto" || device == "cuda") return 0;
  int ordinal = -1;
  if (device.rfind("cuda:", 0) != 0) return std::nullopt;
  const char* end = device.data() + device.size();
  const auto [last, error] = std::from_chars(device.data() + 5, end, ordinal);
  if (error != std::errc() || last != end || ordinal < 0) return std::nullopt;
  return ordinal;
}

// Retained and never released: contexts around it may outlive every element, and libtorch keeps it
// as well. GStreamer's own loader lacks the function.
CUcontext primary_context(CUdevice device) {
  using Retain = CUresult(CUDAAPI*)(CUcontext*, CUdevice);
  static const auto retain = [] {
    void* driver = dlopen("libcuda.so.1", RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
    return driver ? reinterpret_cast<Retain>(dlsym(driver, "cuDevicePrimaryCtxRetain")) : nullptr;
  }();
  CUcontext context = nullptr;
  return retain && retain(&context, device) == CUDA_SUCCESS ? context : nullptr;
}

GstCudaContext* wrap_primary_context(const std::string& device) {
  const std::optional<int> ordinal = ordinal_of(device);
  CUdevice cuda_device = 0;
  if (!ordinal || !gst_cuda_load_library() || CuInit(0) != CUDA_SUCCESS ||
      CuDeviceGet(&cuda_device, *ordinal) != CUDA_SUCCESS) {
    return nullptr;
  }
  const CUcontext context = primary_context(cuda_device);
  if (!context) return nullptr;
  gst_cuda_memory_init_once();
  return gst_cuda_context_new_wrapped(context, cuda_device);
}

void post_have_context(GstElement* element, GstCudaContext* context) {
  gst_element_post_message(
      element,
      gst_message_new_have_context(GST_OBJECT(element), gst_context_new_cuda_context(context)));
}

}  // namespace

bool CudaContext::answer(GstElement* element, GstQuery* query, const std::string& device) {
  const gchar* type = nullptr;
  if (!gst_query_parse_context_type(query, &type) || !g_str_equal(type, GST_CUDA_CONTEXT_TYPE)) {
    return false;
  }
  GstCudaContext* context = nullptr;
  bool is_new = false;
  {
    std::lock_guard lock(mutex_);
    is_new = !context_;
    if (!context_) context_ = reinterpret_cast<GstObject*>(wrap_primary_context(device));
    if (!context_) return false;
    context = reinterpret_cast<GstCudaContext*>(gst_object_ref(context_));
  }
  if (is_new) post_have_context(element, context);
  const bool answered = gst_cuda_handle_context_query(element, query, context);
  gst_object_unref(context);
  return answered;
}

void CudaContext::take(GstElement* element, GstContext* context, const std::string& device) {
  if (!context || !gst_context_has_context_type(context, GST_CUDA_CONTEXT_TYPE)) return;
  const std::optional<int> ordinal = ordinal_of(device);
  if (!ordinal) return;
  GstCudaContext* offered = nullptr;
  const int wanted = device == "auto" ? -1 : *ordinal;
  if (!gst_cuda_handle_set_context(element, context, wanted, &offered)) return;
  std::lock_guard lock(mutex_);
  if (context_) gst_object_unref(context_);
  context_ = GST_OBJECT_CAST(offered);
}

void CudaContext::forget() {
  std::lock_guard lock(mutex_);
  gst_clear_object(&context_);
}

}  // namespace vidi
