#include "examples/export/film_facts.h"

#include <algorithm>
#include <cmath>

#include "examples/export/film_reader.h"

namespace {

constexpr GstClockTime kPatience = 10 * GST_SECOND;
constexpr size_t kMostPictures = 3000;
constexpr double kJitter = 0.0011;    // seconds: containers that count in milliseconds
constexpr double kJitterShare = 0.1;  // of a frame
constexpr FrameRate kUsual[] = {
    {25, 1},  {24000, 1001},  {24, 1},  {30000, 1001}, {30, 1},       {50, 1}, {60000, 1001},
    {60, 1},  {10, 1},        {12, 1},  {15000, 1001}, {15, 1},       {20, 1}, {5, 1},
    {8, 1},   {12500, 1000},  {1, 1},   {2, 1},        {48000, 1001}, {48, 1}, {90, 1},
    {100, 1}, {120000, 1001}, {120, 1}, {240, 1}};

double seconds(gint64 ns) { return static_cast<double>(ns) / GST_SECOND; }

double median_step(const std::vector<gint64>& times) {
  std::vector<gint64> steps;
  for (size_t i = 1; i < times.size(); ++i) steps.push_back(times[i] - times[i - 1]);
  std::nth_element(steps.begin(), steps.begin() + static_cast<long>(steps.size() / 2), steps.end());
  return seconds(steps[steps.size() / 2]);
}

// How far the pictures are off a grid of this rate, seconds: the range of their distances to it,
// halved. Infinite where the rate is another.
double distance(const std::vector<gint64>& times, const FrameRate& rate) {
  const double frame = static_cast<double>(rate.d) / rate.n;
  const double step = median_step(times);
  if (std::abs(step - frame) > std::max(kJitterShare * frame, kJitter)) return INFINITY;
  double least = 0, most = 0;
  for (gint64 time : times) {
    const double at = seconds(time - times.front());
    const double off = at - std::round(at / frame) * frame;
    least = std::min(least, off), most = std::max(most, off);
  }
  return (most - least) / 2;
}

bool fits(const std::vector<gint64>& times, const FrameRate& rate) {
  const double frame = static_cast<double>(rate.d) / rate.n;
  return distance(times, rate) <= std::min(kJitter + kJitterShare * frame / 4, frame / 4);
}

std::vector<gint64> in_order(std::vector<gint64> times) {
  std::sort(times.begin(), times.end());
  times.erase(std::unique(times.begin(), times.end()), times.end());
  return times;
}

}  // namespace

std::optional<FrameRate> rate_of(std::vector<gint64> times, const FrameRate& stated) {
  times = in_order(std::move(times));
  if (times.size() < 2) return stated.is_known() ? std::optional(stated) : std::nullopt;
  if (stated.is_known() && fits(times, stated)) return stated;
  const auto best = std::min_element(std::begin(kUsual), std::end(kUsual),
                                     [&](const FrameRate& a, const FrameRate& b) {
                                       return distance(times, a) < distance(times, b);
                                     });
  return fits(times, *best) ? std::optional(*best) : std::nullopt;
}

FrameRate mean_rate(std::vector<gint64> times) {
  times = in_order(std::move(times));
  if (times.size() < 2) return {};
  const double mean = static_cast<double>(times.size() - 1) / seconds(times.back() - times.front());
  return *std::min_element(
      std::begin(kUsual), std::end(kUsual), [&](const FrameRate& a, const FrameRate& b) {
        const auto off = [&](const FrameRate& r) { return std::abs(std::log(mean * r.d / r.n)); };
        return off(a) < off(b);
      });
}

std::string read_facts(const std::string& uri, const TrackWishes& tracks,
                       const std::atomic<bool>& interrupted, MediaFacts* facts) {
  facts->uri = uri;
  std::vector<gint64> times;
  FrameRate stated;
  FilmReader reader(uri, tracks, [&](Kind kind, const Packet& packet) {
    if (kind != Kind::kPicture) return true;
    const GstStructure* form = gst_caps_get_structure(packet.caps.get(), 0);
    gst_structure_get_fraction(form, "framerate", &stated.n, &stated.d);
    gst_structure_get_int(form, "width", &facts->width);
    gst_structure_get_int(form, "height", &facts->height);
    times.push_back(packet.pts);
    return times.size() < kMostPictures;
  });
  const std::string error = reader.read(interrupted, kPatience);
  if (!error.empty()) return error;
  facts->duration = reader.duration();
  facts->has_audio = reader.has_audio();
  const auto rate = rate_of(times, stated);
  const FrameRate used = rate ? *rate : mean_rate(times);
  facts->variable_rate = !rate && times.size() > 1;
  facts->rate_n = used.n, facts->rate_d = used.d;
  return "";
}
