// CUDA memory on the video pads. What needs a GPU skips itself without one; the caps, the way
// through the host and the engine's arithmetic are tested everywhere.
#include <dlfcn.h>
#include <gst/app/gstappsink.h>
#include <gst/app/gstappsrc.h>
#include <gst/cuda/gstcudaloader.h>
#include <gst/cuda/gstcudamemory.h>
#include <gst/cuda/gstcudautils.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include "gst/media/cuda_memory.h"
#include "gst/media/picture.h"
#include "gst/windows/analysis_window.h"
#include "model/engine_api.h"
#include "tests/support/element.h"
#include "tests/support/media.h"

namespace vidi::test {
namespace {

constexpr int kSide = 48;
const char* const kFormats[] = {"NV12", "P010_10LE", "RGBA", "BGRA", "RGB", "I420"};
constexpr char kCuda[] = "video/x-raw(memory:CUDAMemory)";

struct Unref {
  void operator()(GstBuffer* buffer) const { gst_buffer_unref(buffer); }
  void operator()(GstCaps* caps) const { gst_caps_unref(caps); }
  void operator()(GstSample* sample) const { gst_sample_unref(sample); }
  void operator()(GstQuery* query) const { gst_query_unref(query); }
};
template <class T>
using Owned = std::unique_ptr<T, Unref>;

bool has_gpu() {
  int n = 0;
  return gst_cuda_load_library() && CuInit(0) == CUDA_SUCCESS &&
         CuDeviceGetCount(&n) == CUDA_SUCCESS && n > 0;
}

#define NEEDS_GPU() \
  if (!has_gpu()) GTEST_SKIP() << "no CUDA driver or device"

// The real engine's API, for its arithmetic; null in a build without engine.
const EngineApi* real_door() {
#ifdef VIDI_ENGINE_LIBRARY
  void* library = dlopen(VIDI_ENGINE_LIBRARY, RTLD_NOW | RTLD_LOCAL);
  if (!library) return nullptr;
  const auto knock = reinterpret_cast<const EngineApi* (*)()>(dlsym(library, "vidi_engine_api"));
  return knock ? knock() : nullptr;
#else
  return nullptr;
#endif
}

// One frame of a moving pattern, pulled from the end of a launch line.
Owned<GstSample> pull(const std::string& line) {
  Pipeline pipeline(line + " ! appsink name=end sync=false");
  if (!pipeline.to(GST_STATE_PAUSED)) ADD_FAILURE() << line << ": " << pipeline.error_text();
  GstSample* sample = gst_app_sink_try_pull_preroll(GST_APP_SINK(pipeline.element("end")), kLimit);
  return Owned<GstSample>(sample);
}

std::string pattern(const std::string& format, int width, int height,
                    const std::string& more = "") {
  return "videotestsrc num-buffers=1 pattern=smpte ! video/x-raw, format=" + format +
         ", width=" + std::to_string(width) + ", height=" + std::to_string(height) + more;
}

std::vector<uint8_t> read(GstSample* sample, const DeviceReading& device = {},
                          const Orientation& orientation = {}) {
  auto reader = PictureReader::make(gst_sample_get_caps(sample), device, orientation);
  EXPECT_TRUE(reader) << reader.error().message;
  if (!reader) return {};
  auto grabbed = (*reader)->grab(gst_sample_get_buffer(sample));
  EXPECT_TRUE(grabbed) << grabbed.error().message;
  if (!grabbed) return {};
  auto frame = (*grabbed)->finish(kSide);
  EXPECT_TRUE(frame) << frame.error().message;
  return frame ? (*frame)->rgb : std::vector<uint8_t>();
}

int largest_difference(const std::vector<uint8_t>& a, const std::vector<uint8_t>& b) {
  if (a.empty() || a.size() != b.size()) return 256;
  int largest = 0;
  for (size_t i = 0; i < a.size(); ++i) largest = std::max(largest, std::abs(a[i] - b[i]));
  return largest;
}

std::atomic<int> n_shrunk, n_refused;
const EngineApi* counted_door = nullptr;

// The real engine's shrink, counted.
Result<bool> counting(const DevicePicture& picture, int side, uint8_t* rgb) noexcept {
  auto done = counted_door->shrink(picture, side, rgb);
  ++(done ? n_shrunk : n_refused);
  if (!done) std::cerr << done.error().message << "\n";
  return done;
}

class CudaTest : public ElementTest {
 protected:
  void SetUp() override {
    ElementTest::SetUp();
    n_shrunk = n_refused = 0;
    counted_door = real_door();
  }
  static DeviceReading on_device() {
    return {&counting, [] { return kSide; }};
  }
};

// ---- Everywhere --------------------------------------------------------------------------------

// Both video pads take CUDA memory in the six formats of the manual.
TEST_F(CudaTest, TemplatesHaveCudaMemory) {
  Pipeline pipeline("vidifilter name=v ! fakesink");
  for (const char* name : {"sink", "src"}) {
    GstPad* pad = gst_element_get_static_pad(pipeline.v(), name);
    Owned<GstCaps> caps(gst_pad_get_pad_template_caps(pad));
    gst_object_unref(pad);
    for (const char* format : kFormats) {
      const Owned<GstCaps> wanted(gst_caps_from_string(
          (std::string(kCuda) + ", format=" + format + ", width=64, height=48, framerate=25/1")
              .c_str()));
      EXPECT_TRUE(gst_caps_is_subset(wanted.get(), caps.get())) << name << " " << format;
    }
  }
}

// CUDA caps around ordinary memory, and an engine without CUDA: the pictures are seen all the same,
// and their memory passes untouched.
TEST_F(CudaTest, OrdinaryMemoryUnderCudaCaps) {
  Pipeline pipeline(
      "appsrc name=start format=time ! vidifilter name=v model-path=x query=q "
      "window-duration=2000000000 window-stride=2000000000 v.src ! appsink name=end sync=false");
  GstElement* start = pipeline.element("start");
  const Owned<GstCaps> caps(gst_caps_from_string(
      (std::string(kCuda) + ", format=RGB, width=64, height=48, framerate=1/1").c_str()));
  g_object_set(start, "caps", caps.get(), nullptr);
  ASSERT_NE(gst_element_set_state(pipeline.get(), GST_STATE_PLAYING), GST_STATE_CHANGE_FAILURE);
  std::vector<GstMemory*> sent;
  for (guint64 i = 0; i < 2; ++i) {
    GstBuffer* frame = rgb_frame(i ? 0x102030 : 0x405060, 64, 48, i * GST_SECOND, GST_SECOND);
    sent.push_back(gst_buffer_get_memory(frame, 0));
    ASSERT_EQ(gst_app_src_push_buffer(GST_APP_SRC(start), frame), GST_FLOW_OK);
  }
  gst_app_src_end_of_stream(GST_APP_SRC(start));
  for (GstMemory* memory : sent) {
    const Owned<GstSample> sample(
        gst_app_sink_try_pull_sample(GST_APP_SINK(pipeline.element("end")), kLimit));
    EXPECT_TRUE(sample && gst_buffer_peek_memory(gst_sample_get_buffer(sample.get()), 0) == memory);
    gst_memory_unref(memory);
  }
  pipeline.wait_structure("vidi/window");
  EXPECT_EQ(scripted::last_window().frames, (std::vector<uint32_t>{0x405060, 0x102030}));
}

// A CONTEXT query of another kind is nobody's business here, and one for CUDA is refused where
// there is none.
TEST_F(CudaTest, OtherContextsAreRefused) {
  Pipeline pipeline("vidifilter name=v device=cpu ! fakesink");
  GstPad* pad = gst_element_get_static_pad(pipeline.v(), "sink");
  for (const char* type : {"gst.gl.GLDisplay", "gst.cuda.context"}) {
    const Owned<GstQuery> query(gst_query_new_context(type));
    EXPECT_FALSE(gst_pad_query(pad, query.get())) << type;
  }
  gst_object_unref(pad);
}

// The engine's way from planes to the model's picture gives what the host's way gives, for every
// format, at odd sizes, for the colorimetries and chroma sites that are about, turned in all ways.
TEST_F(CudaTest, EngineAgreesWithTheHost) {
  if (!counted_door) GTEST_SKIP() << "this build has no engine";
  const char* const more[] = {"", ", colorimetry=bt601, chroma-site=mpeg2",
                              ", colorimetry=1:3:5:1, chroma-site=jpeg"};
  const PixelFormat engine_formats[] = {PixelFormat::kNv12, PixelFormat::kP010, PixelFormat::kRgba,
                                        PixelFormat::kBgra, PixelFormat::kRgb,  PixelFormat::kI420};
  for (size_t f = 0; f < std::size(kFormats); ++f) {
    for (int variant = 0; variant < (f == 0 || f == 1 || f == 5 ? 3 : 1); ++variant) {
      const auto sample = pull(pattern(kFormats[f], 131, 77, more[variant]));
      ASSERT_TRUE(sample);
      GstVideoInfo info;
      ASSERT_TRUE(gst_video_info_from_caps(&info, gst_sample_get_caps(sample.get())));
      GstVideoFrame frame;
      ASSERT_TRUE(
          gst_video_frame_map(&frame, &info, gst_sample_get_buffer(sample.get()), GST_MAP_READ));
      DevicePicture picture;
      picture.format = engine_formats[f];
      picture.width = 131, picture.height = 77, picture.on_host = true;
      for (guint i = 0; i < GST_VIDEO_FRAME_N_PLANES(&frame); ++i)
        picture.planes[i] = {frame.data[i], static_cast<size_t>(frame.info.stride[i])};
      gst_video_color_matrix_get_Kr_Kb(info.colorimetry.matrix, &picture.kr, &picture.kb);
      picture.full_range = info.colorimetry.range != GST_VIDEO_COLOR_RANGE_16_235;
      picture.chroma_at_left = info.chroma_site & GST_VIDEO_CHROMA_SITE_H_COSITED;
      std::vector<uint8_t> rgb(size_t{3} * kSide * kSide);
      for (int way = 0; way < 8; ++way) {
        picture.orientation = {(way & 1) != 0, (way & 2) != 0, (way & 4) != 0};
        EXPECT_TRUE(counting(picture, kSide, rgb.data()));
        EXPECT_LE(largest_difference(rgb, read(sample.get(), {}, picture.orientation)), 0)
            << kFormats[f] << more[variant] << " way " << way;
      }
      gst_video_frame_unmap(&frame);
    }
  }
}

// ---- With a GPU --------------------------------------------------------------------------------

// Uploaded pictures are shrunk on the device, and come out as the same pictures in ordinary memory.
TEST_F(CudaTest, PicturesAreReadInPlace) {
  NEEDS_GPU();
  if (!counted_door) GTEST_SKIP() << "this build has no engine";
  for (const char* format : kFormats) {
    for (const auto& [width, height] : {std::pair{640, 360}, std::pair{258, 478}}) {
      const auto plain = pull(pattern(format, width, height));
      const auto uploaded = pull(pattern(format, width, height) + " ! cudaupload ! " + kCuda);
      ASSERT_TRUE(plain && uploaded);
      ASSERT_TRUE(in_cuda_memory(gst_sample_get_caps(uploaded.get())));
      const int before = n_shrunk;
      EXPECT_LE(largest_difference(read(uploaded.get(), on_device()), read(plain.get())), 1)
          << format << " " << width << "x" << height;
      EXPECT_EQ(n_shrunk, before + 1) << format;
      for (int way = 1; way < 8; ++way) {
        const Orientation orientation{(way & 1) != 0, (way & 2) != 0, (way & 4) != 0};
        EXPECT_LE(largest_difference(read(uploaded.get(), on_device(), orientation),
                                     read(plain.get(), {}, orientation)),
                  1)
            << format << " " << width << "x" << height << " turned, way " << way;
      }
    }
  }
}

// An engine that refuses, or none: the pictures come through the host, with the same values.
TEST_F(CudaTest, PicturesComeThroughTheHostOtherwise) {
  NEEDS_GPU();
  for (const char* format : kFormats) {
    const auto plain = pull(pattern(format, 640, 360));
    const auto uploaded = pull(pattern(format, 640, 360) + " ! cudaupload ! " + kCuda);
    ASSERT_TRUE(plain && uploaded);
    EXPECT_EQ(read(uploaded.get()), read(plain.get())) << format;
    const DeviceReading refuses{[](const DevicePicture&, int, uint8_t*) noexcept -> Result<bool> {
                                  return Error{ErrorCode::kUnsupported, "no CUDA in here"};
                                },
                                [] { return kSide; }};
    EXPECT_EQ(read(uploaded.get(), refuses), read(plain.get())) << format;
  }
}

// A tag turns pictures in CUDA memory as it turns those in ordinary memory, through the element.
TEST_F(CudaTest, TagTurnsCudaMemory) {
  NEEDS_GPU();
  if (!counted_door) GTEST_SKIP() << "this build has no engine";
  const auto seen = [](const std::string& upload) {
    scripted::reset();
    scripted::shrink_with(counting);
    scripted::set_picture_side(kSide);
    Pipeline pipeline(
        "videotestsrc num-buffers=2 pattern=smpte ! video/x-raw, format=RGBA, width=320, "
        "height=180, framerate=1/1 ! taginject tags=image-orientation=rotate-90" +
        upload + " ! vidifilter name=v model-path=x query=q window-duration=0 v.src ! fakesink");
    EXPECT_TRUE(pipeline.to(GST_STATE_PLAYING)) << pipeline.error_text();
    EXPECT_TRUE(pipeline.wait_eos());
    return scripted::last_window().digests;
  };
  const auto plain = seen("");
  const int before = n_shrunk;
  EXPECT_EQ(seen(std::string(" ! cudaupload ! ") + kCuda), plain);
  EXPECT_GT(n_shrunk, before);
  EXPECT_FALSE(plain.empty());
}

// Through the whole element: CUDA memory passes as it is, and the model sees its colours.
TEST_F(CudaTest, ElementSeesCudaMemory) {
  NEEDS_GPU();
  if (!counted_door) GTEST_SKIP() << "this build has no engine";
  scripted::shrink_with(counting);
  Pipeline pipeline(
      "videotestsrc num-buffers=4 pattern=red ! video/x-raw, format=NV12, width=320, height=240, "
      "framerate=1/1 ! cudaupload name=up ! vidifilter name=v model-path=x query=q "
      "window-duration=2000000000 window-stride=2000000000 v.src ! " +
      std::string(kCuda) + " ! appsink name=end sync=false");
  ASSERT_NE(gst_element_set_state(pipeline.get(), GST_STATE_PLAYING), GST_STATE_CHANGE_FAILURE);
  for (int i = 0; i < 4; ++i) {
    const Owned<GstSample> sample(
        gst_app_sink_try_pull_sample(GST_APP_SINK(pipeline.element("end")), kLimit));
    ASSERT_TRUE(sample);
    EXPECT_TRUE(gst_is_cuda_memory(gst_buffer_peek_memory(gst_sample_get_buffer(sample.get()), 0)));
  }
  pipeline.wait_structure("vidi/window");
  ASSERT_FALSE(scripted::last_window().frames.empty());
  for (uint32_t colour : scripted::last_window().frames) {
    EXPECT_GE(colour >> 16, 0xFBu) << std::hex << colour;
    EXPECT_LE(colour & 0xFFFF, 0x0404u) << std::hex << colour;
  }
  EXPECT_GT(n_shrunk, 0);
  EXPECT_EQ(n_refused, 0);
}

GstCudaContext* context_in(GstQuery* query) {
  GstContext* context = nullptr;
  gst_query_parse_context(query, &context);
  GstCudaContext* found = nullptr;
  if (context)
    gst_structure_get(gst_context_get_structure(context), GST_CUDA_CONTEXT_TYPE,
                      GST_TYPE_CUDA_CONTEXT, &found, nullptr);
  return found;
}

// The one that libtorch and every other user of CUDA's runtime works in.
CUcontext primary_context() {
  using Retain = CUresult (*)(CUcontext*, CUdevice);
  void* driver = dlopen("libcuda.so.1", RTLD_NOW);
  const auto retain =
      driver ? reinterpret_cast<Retain>(dlsym(driver, "cuDevicePrimaryCtxRetain")) : nullptr;
  CUcontext context = nullptr;
  if (retain) retain(&context, 0);
  return context;
}

// Asked for a CUDA context, the element offers the primary one, always the same, and tells the
// pipeline.
TEST_F(CudaTest, PrimaryContextIsOffered) {
  NEEDS_GPU();
  Pipeline pipeline("vidifilter name=v ! fakesink");
  GstCudaContext* offered[2] = {};
  const char* const pads[] = {"sink", "src"};
  for (int i = 0; i < 2; ++i) {
    GstPad* pad = gst_element_get_static_pad(pipeline.v(), pads[i]);
    const Owned<GstQuery> query(gst_query_new_context(GST_CUDA_CONTEXT_TYPE));
    EXPECT_TRUE(gst_pad_query(pad, query.get())) << pads[i];
    offered[i] = context_in(query.get());
    gst_object_unref(pad);
  }
  ASSERT_TRUE(offered[0]);
  EXPECT_EQ(offered[0], offered[1]);
  EXPECT_EQ(gst_cuda_context_get_handle(offered[0]), primary_context());
  EXPECT_EQ(pipeline.messages(GST_MESSAGE_HAVE_CONTEXT).size(), 1u);
  for (GstCudaContext* context : offered) gst_object_unref(context);
}

// A context that the pipeline has already is handed on instead of a second one.
TEST_F(CudaTest, ThePipelinesContextIsHandedOn) {
  NEEDS_GPU();
  Pipeline pipeline("vidifilter name=v ! fakesink");
  GstCudaContext* own = gst_cuda_context_new(0);
  ASSERT_TRUE(own);
  GstContext* context = gst_context_new_cuda_context(own);
  gst_element_set_context(pipeline.get(), context);
  gst_context_unref(context);
  GstPad* pad = gst_element_get_static_pad(pipeline.v(), "sink");
  const Owned<GstQuery> query(gst_query_new_context(GST_CUDA_CONTEXT_TYPE));
  EXPECT_TRUE(gst_pad_query(pad, query.get()));
  GstCudaContext* found = context_in(query.get());
  EXPECT_EQ(found, own);
  gst_clear_object(&found);
  gst_object_unref(pad);
  gst_object_unref(own);
}

// A decoder upstream puts its pictures into the context that was offered before it had any.
TEST_F(CudaTest, DecoderUsesTheOfferedContext) {
  NEEDS_GPU();
  const char* clip = std::getenv("VIDI_TEST_H264");
  if (!clip || !*clip) GTEST_SKIP() << "$VIDI_TEST_H264 names no MP4 file to decode";
  if (GstElementFactory* factory = gst_element_factory_find("nvh264dec")) {
    gst_object_unref(factory);
  } else {
    GTEST_SKIP() << "no nvh264dec";
  }
  if (counted_door) scripted::shrink_with(counting);
  Pipeline pipeline("filesrc location=" + std::string(clip) +
                    " ! qtdemux ! h264parse ! nvh264dec ! vidifilter name=v model-path=x query=q "
                    "window-duration=2000000000 window-stride=2000000000 v.src ! " +
                    kCuda + " ! appsink name=end sync=false max-buffers=2");
  GstPad* pad = gst_element_get_static_pad(pipeline.v(), "sink");
  const Owned<GstQuery> query(gst_query_new_context(GST_CUDA_CONTEXT_TYPE));
  EXPECT_TRUE(gst_pad_query(pad, query.get()));
  gst_object_unref(pad);
  GstCudaContext* offered = context_in(query.get());
  ASSERT_TRUE(offered);

  ASSERT_TRUE(pipeline.to(GST_STATE_PAUSED)) << pipeline.error_text();
  const Owned<GstSample> sample(
      gst_app_sink_try_pull_preroll(GST_APP_SINK(pipeline.element("end")), kLimit));
  ASSERT_TRUE(sample);
  GstMemory* memory = gst_buffer_peek_memory(gst_sample_get_buffer(sample.get()), 0);
  ASSERT_TRUE(gst_is_cuda_memory(memory));
  EXPECT_EQ(GST_CUDA_MEMORY_CAST(memory)->context, offered);
  gst_object_unref(offered);
}

// How long a full-HD picture takes, printed for whoever compares; it must only work.
TEST_F(CudaTest, TimeOfOnePicture) {
  NEEDS_GPU();
  if (!counted_door) GTEST_SKIP() << "this build has no engine";
  for (const char* format : {"NV12", "P010_10LE", "RGBA"}) {
    const auto sample = pull(pattern(format, 1920, 1080) + " ! cudaupload ! " + kCuda);
    ASSERT_TRUE(sample);
    for (const bool in_place : {true, false}) {
      const DeviceReading device{in_place ? &counting : nullptr, [] { return 384; }};
      auto reader = PictureReader::make(gst_sample_get_caps(sample.get()), device);
      ASSERT_TRUE(reader);
      std::vector<double> ms;
      for (int i = 0; i < 30; ++i) {
        const auto begin = std::chrono::steady_clock::now();
        auto grabbed = (*reader)->grab(gst_sample_get_buffer(sample.get()));
        ASSERT_TRUE(grabbed);
        ASSERT_TRUE((*grabbed)->finish(384));
        const std::chrono::duration<double, std::milli> took =
            std::chrono::steady_clock::now() - begin;
        ms.push_back(took.count());
      }
      const double first = ms[0];
      std::sort(ms.begin(), ms.end());
      std::cout << format << " 1920x1080 to 384x384 "
                << (in_place ? "in place" : "through the host") << ": median " << ms[15]
                << " ms, first " << first << " ms\n";
    }
  }
}

}  // namespace
}  // namespace vidi::test
