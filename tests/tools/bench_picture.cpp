// Milliseconds of one thread to make the model's square RGB of one decoded picture, by format and
// size, beside a plain copy of the same picture in the same run. Medians of the thread's own time,
// so that other programs disturb little.
#include <gst/video/video.h>
#include <time.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "gst/media/picture.h"
#include "tests/tools/tool_options.h"

namespace {

constexpr char kUsage[] = "bench-picture [--side 384] [--times 40] [--format NV12]\n";

vidi::ToolOptions options = {{"--side", "384"}, {"--times", "40"}, {"--format", ""}};

[[noreturn]] void fail(const std::string& text) {
  std::fprintf(stderr, "bench-picture: %s\n", text.c_str());
  std::exit(1);
}

double thread_ms() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) * 1e3 + static_cast<double>(now.tv_nsec) / 1e6;
}

class Timer {
 public:
  template <class Work>
  void add(Work&& work) {
    const double begin = thread_ms();
    work();
    took_.push_back(thread_ms() - begin);
  }
  double median() {
    std::sort(took_.begin(), took_.end());
    return took_[took_.size() / 2];
  }

 private:
  std::vector<double> took_;
};

// Noise: a flat picture would be kind to branches.
GstBuffer* noisy_buffer(size_t size) {
  std::vector<guint8> bytes(size);
  guint32 state = 1;
  for (guint8& byte : bytes) {
    state = state * 1664525u + 1013904223u;
    byte = static_cast<guint8>(state >> 24);
  }
  GstBuffer* buffer = gst_buffer_new_allocate(nullptr, size, nullptr);
  gst_buffer_fill(buffer, 0, bytes.data(), size);
  return buffer;
}

void bench(const std::string& format, int width, int height) {
  GstCaps* caps = gst_caps_new_simple("video/x-raw", "format", G_TYPE_STRING, format.c_str(),
                                      "width", G_TYPE_INT, width, "height", G_TYPE_INT, height,
                                      "framerate", GST_TYPE_FRACTION, 30, 1, nullptr);
  GstVideoInfo info;
  if (!gst_video_info_from_caps(&info, caps)) fail("GStreamer knows no format " + format);
  auto reader = vidi::PictureReader::make(caps);
  if (!reader) fail(reader.error().message);
  GstBuffer* buffer = noisy_buffer(info.size);
  const std::vector<guint8> source(info.size, 1);
  std::vector<guint8> target(info.size);
  const int side = std::stoi(options["--side"]);
  Timer grab, finish, copy;
  for (int i = std::stoi(options["--times"]); i > 0; --i) {
    std::unique_ptr<vidi::GrabbedPicture> picture;
    grab.add([&] { picture = std::move(*(*reader)->grab(buffer)); });
    finish.add([&] {
      if (!picture->finish(side)) fail("a picture could not be converted");
    });
    copy.add([&] { std::memcpy(target.data(), source.data(), info.size); });
  }
  std::printf("%-10s %4dx%-4d %8.3f %8.3f %8.3f %8.1f\n", format.c_str(), width, height,
              grab.median(), finish.median(), copy.median(), finish.median() / copy.median());
  gst_buffer_unref(buffer);
  gst_caps_unref(caps);
}

}  // namespace

int main(int argc, char** argv) {
  gst_init(&argc, &argv);
  vidi::read_options(argc, argv, kUsage, options);
  std::printf("to side %-12s     grab  convert   memcpy  convert/memcpy\n",
              options["--side"].c_str());
  for (const auto& [width, height] : {std::pair{1920, 1080}, {1080, 1920}, {3840, 2160}})
    for (const char* format : {"NV12", "I420", "P010_10LE", "UYVY", "RGBA", "RGB"})
      if (options["--format"].empty() || options["--format"] == format)
        bench(format, width, height);
}
