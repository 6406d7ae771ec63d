// What the gate (gate=motion) sees: how like a picture of a film the same picture is after what
// happens in front of a camera, by a model's own features. For choosing gate-similarity.
//
// Pictures of FILE (the bundled clip), evenly spread, each beside itself with sensor noise, with
// another brightness (a light that flickers), and with a plain square that has come in; and the
// picture half a second later. A line each: the least, the median and the greatest similarity. An
// unchanged picture should be above gate-similarity in all of the first lines, one in which
// something happened below.
#include <gst/app/gstappsink.h>
#include <gst/gst.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "gst/worker/engine_library.h"
#include "tests/tools/tool_options.h"

namespace {

constexpr char kUsage[] =
    "bench-gate [--model DIR] [--device auto] [--pictures 8] [FILE, the bundled clip]\n";

vidi::ToolOptions options = {
    {"--model", VIDI_DEMO_CHECKPOINT}, {"--device", "auto"}, {"--pictures", "8"}};

[[noreturn]] void give_up(const std::string& why) {
  std::fprintf(stderr, "bench-gate: %s\n", why.c_str());
  std::exit(1);
}

template <class T>
T value_of(vidi::Result<T> result) {
  if (!result) give_up(result.error().message);
  return std::move(*result);
}

constexpr int kWidth = 640, kHeight = 360;  // of a camera's sub-stream
constexpr int kRate = 2;                    // pictures a second

struct Picture {
  std::vector<uint8_t> rgb;
  vidi::Frame frame() const { return {rgb.data(), kWidth, kHeight, size_t{kWidth} * 3}; }
};

Picture picture_of(GstSample* sample) {
  GstMapInfo map;
  GstBuffer* buffer = gst_sample_get_buffer(sample);
  if (!gst_buffer_map(buffer, &map, GST_MAP_READ)) give_up("a picture cannot be read");
  Picture picture{{map.data, map.data + map.size}};
  gst_buffer_unmap(buffer, &map);
  gst_sample_unref(sample);
  if (picture.rgb.size() != size_t{kWidth} * kHeight * 3) give_up("a picture has another size");
  return picture;
}

std::vector<Picture> pictures_of(const std::string& file) {
  gchar* uri = gst_filename_to_uri(file.c_str(), nullptr);
  if (!uri) give_up("expected a file, found " + file);
  const std::string text =
      "uridecodebin caps=video/x-raw uri=\"" + std::string(uri) +
      "\" ! videoconvert ! videoscale ! videorate ! video/x-raw,format=RGB,width=" +
      std::to_string(kWidth) + ",height=" + std::to_string(kHeight) +
      ",framerate=" + std::to_string(kRate) + "/1 ! appsink name=s sync=false";
  g_free(uri);
  GstElement* pipeline = gst_parse_launch(text.c_str(), nullptr);
  if (!pipeline) give_up("GStreamer lacks an element of: " + text);
  GstElement* sink = gst_bin_get_by_name(GST_BIN(pipeline), "s");
  gst_element_set_state(pipeline, GST_STATE_PLAYING);
  std::vector<Picture> pictures;
  while (GstSample* sample = gst_app_sink_pull_sample(GST_APP_SINK(sink)))
    pictures.push_back(picture_of(sample));
  gst_element_set_state(pipeline, GST_STATE_NULL);
  gst_object_unref(sink);
  gst_object_unref(pipeline);
  if (pictures.size() < 2) give_up(file + " has less than two pictures that can be decoded");
  return pictures;
}

using Change = std::function<void(Picture&, std::mt19937&)>;

uint8_t clamped(double value) { return static_cast<uint8_t>(std::clamp(value + 0.5, 0.0, 255.0)); }

// Of each channel by itself, as a sensor's in the dark.
Change noise(double sigma) {
  return [sigma](Picture& picture, std::mt19937& random) {
    std::normal_distribution<double> error(0, sigma);
    for (uint8_t& value : picture.rgb) value = clamped(value + error(random));
  };
}

Change brightness(double factor) {
  return [factor](Picture& picture, std::mt19937&) {
    for (uint8_t& value : picture.rgb) value = clamped(value * factor);
  };
}

// Somewhere in the picture, of one colour.
Change square(int side) {
  return [side](Picture& picture, std::mt19937& random) {
    const int left = static_cast<int>(random() % unsigned(kWidth - side));
    const int top = static_cast<int>(random() % unsigned(kHeight - side));
    const uint8_t colour[] = {uint8_t(random()), uint8_t(random()), uint8_t(random())};
    for (int y = top; y < top + side; ++y)
      for (int x = left; x < left + side; ++x)
        std::copy(colour, colour + 3, &picture.rgb[(size_t(y) * kWidth + size_t(x)) * 3]);
  };
}

class Bench {
 public:
  explicit Bench(std::unique_ptr<vidi::Session> session) : session_(std::move(session)) {}

  void line(const std::string& name, const std::vector<Picture>& before,
            const std::vector<Picture>& after) {
    std::vector<double> found;
    for (size_t i = 0; i < before.size(); ++i) found.push_back(similarity(before[i], after[i]));
    std::sort(found.begin(), found.end());
    std::printf("%-34s %8.4f %8.4f %8.4f\n", name.c_str(), found.front(), found[found.size() / 2],
                found.back());
  }

 private:
  double similarity(const Picture& before, const Picture& after) {
    const vidi::Cancel cancel;
    const auto features =
        value_of(session_->encode_images({before.frame(), after.frame()}, cancel));
    return value_of(session_->similarities(*features[0], {features[1]})).at(0);
  }

  std::unique_ptr<vidi::Session> session_;
};

std::vector<Picture> changed(std::vector<Picture> pictures, const Change& change) {
  std::mt19937 random(1);
  for (Picture& picture : pictures) change(picture, random);
  return pictures;
}

void run(const std::string& file) {
  const std::vector<Picture> film = pictures_of(file);
  const size_t n = std::min<size_t>(std::stoul(options["--pictures"]), film.size() - 1);
  std::vector<Picture> pictures, next;
  for (size_t i = 0; i < n; ++i) {
    const size_t at = i * (film.size() - 1) / n;
    pictures.push_back(film[at]), next.push_back(film[at + 1]);
  }
  const vidi::EngineApi* api = value_of(vidi::engine_api());
  vidi::OpenOptions open;
  open.folder = options["--model"], open.device = options["--device"];
  Bench bench(value_of(api->open(open, vidi::Cancel())));
  std::printf("%-34s %8s %8s %8s\n", "similarity to itself with", "least", "median", "greatest");
  for (const double sigma : {1.0, 2.0, 4.0, 8.0})
    bench.line("noise of " + std::to_string(int(sigma)) + " of 255", pictures,
               changed(pictures, noise(sigma)));
  for (const double factor : {0.98, 0.95, 0.9, 0.8})
    bench.line("brightness x " + std::to_string(factor).substr(0, 4), pictures,
               changed(pictures, brightness(factor)));
  for (const int side : {12, 24, 36, 72})
    bench.line(
        "a square of " + std::to_string(side) + " x " + std::to_string(side) + " of 640 x 360",
        pictures, changed(pictures, square(side)));
  bench.line("half a second later", pictures, next);
}

}  // namespace

int main(int argc, char** argv) {
  gst_init(&argc, &argv);
  const auto words = vidi::read_options(argc, argv, kUsage, options, 1);
  run(words.empty() ? VIDI_DEMO_CLIP : words[0]);
}
