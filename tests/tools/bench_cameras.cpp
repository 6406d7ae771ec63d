// How many live cameras one model carries: so many elements in one process, each with pictures and
// sound in real time, and how long a window's results take from its end on.
#include <gst/gst.h>

#include <charconv>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "tests/tools/camera_row.h"
#include "tests/tools/gpu_watch.h"
#include "tests/tools/host_watch.h"
#include "tests/tools/timed_engine.h"
#include "tests/tools/tool_options.h"

namespace vidi {
namespace {

constexpr char kUsage[] =
    R"(bench-cameras [--model DIR | --geometry vidi1.5-9b|vidi-7b|tiny] [--seconds 60] [--in-step]
                     [--device auto] [--precision auto] [--weights native] [--keys native]
                     [--memory-limit BYTES] [--width 640] [--height 360] [--fps 5] [--seed 1]
                     --row cameras=60,answer-tokens=34,questions=1,window=10,stride=10[,keep=1] ...
--geometry: random weights of that size, no folder needed. The model is loaded once for all rows.
Every answer is exactly answer-tokens long: no end mark is taken and nothing is guessed ahead.
Cameras start anywhere within a stride, --in-step: their windows end at the same moment. What is
counted begins when each has had a first window, and, in step, its result. Status 1 when a
pipeline ended with an error.
)";

ToolOptions options = {
    {"--model", VIDI_DEMO_CHECKPOINT},
    {"--geometry", ""},
    {"--seconds", "60"},
    {"--device", "auto"},
    {"--precision", "auto"},
    {"--weights", "native"},
    {"--keys", "native"},
    {"--memory-limit", "0"},
    {"--width", "640"},
    {"--height", "360"},
    {"--fps", "5"},
    {"--seed", "1"},
};

[[noreturn]] void refuse(const std::string& why) { throw std::runtime_error(why); }

int number(const std::string& name, const std::string& text, int least) {
  int value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value < least)
    refuse(name + " is \"" + text + "\", expected a number of at least " + std::to_string(least));
  return value;
}
int option(const char* name) { return number(name, options.at(name), 0); }

// "cameras=60,window=10"
Row row_of(const std::string& text) {
  Row row;
  const std::map<std::string, std::pair<int*, int>> fields = {
      {"cameras", {&row.cameras, 1}},     {"answer-tokens", {&row.answer_tokens, 1}},
      {"questions", {&row.questions, 1}}, {"window", {&row.window, 2}},
      {"stride", {&row.stride, 1}},       {"keep", {&row.keep, 0}}};
  for (size_t at = 0; at < text.size();) {
    const size_t end = std::min(text.find(',', at), text.size()), is = text.find('=', at);
    const auto field = fields.find(text.substr(at, std::min(is, end) - at));
    if (is >= end || field == fields.end())
      refuse("--row \"" + text +
             "\", expected cameras=, answer-tokens=, questions=, window=, stride=, keep=");
    *field->second.first =
        number(field->first, text.substr(is + 1, end - is - 1), field->second.second);
    at = end + 1;
  }
  return row;
}

struct Arguments {
  CameraOptions cameras;
  std::vector<Row> rows;
};

// The two that may be given without a value, or more than once, are taken out before the others.
Arguments parse(int argc, char** argv) {
  Arguments arguments;
  std::vector<char*> others = {argv[0]};
  for (int i = 1; i < argc; ++i) {
    const std::string name = argv[i];
    if (name == "--in-step")
      arguments.cameras.in_step = true;
    else if (name != "--row")
      others.push_back(argv[i]);
    else if (++i < argc)
      arguments.rows.push_back(row_of(argv[i]));
    else
      refuse_options(kUsage, "a value is missing behind --row");
  }
  read_options(static_cast<int>(others.size()), others.data(), kUsage, options);
  if (arguments.rows.empty()) refuse_options(kUsage, "expected at least one --row");
  CameraOptions& c = arguments.cameras;
  c.seconds = option("--seconds"), c.seed = static_cast<unsigned>(option("--seed"));
  c.width = option("--width"), c.height = option("--height"), c.fps = option("--fps");
  c.element = "model-load=sync model-path=\"" + options["--model"] +
              "\" device=" + options["--device"] + " precision=" + options["--precision"] +
              " weights=" + options["--weights"] + " keys=" + options["--keys"] +
              " memory-limit=" + options["--memory-limit"];
  return arguments;
}

// An element that holds the model from the first row to the last.
class Keeper {
 public:
  explicit Keeper(const std::string& properties) {
    GError* error = nullptr;
    const std::string text = "videotestsrc num-buffers=1 ! vidifilter name=v passthrough=true " +
                             properties + " query=x ! fakesink";
    pipeline_ = gst_parse_launch(text.c_str(), &error);
    if (error) refuse(error->message);
    if (gst_element_set_state(pipeline_, GST_STATE_PAUSED) == GST_STATE_CHANGE_FAILURE)
      refuse("the model was not loaded: " + last_error());
  }
  ~Keeper() {
    gst_element_set_state(pipeline_, GST_STATE_NULL);
    gst_object_unref(pipeline_);
  }

 private:
  std::string last_error() const {
    GstBus* bus = gst_element_get_bus(pipeline_);
    GstMessage* message = gst_bus_pop_filtered(bus, GST_MESSAGE_ERROR);
    if (!message) return "no reason was told";
    GError* error = nullptr;
    gst_message_parse_error(message, &error, nullptr);
    return error->message;
  }
  GstElement* pipeline_ = nullptr;
};

double at_share(const std::vector<double>& sorted, double share) {
  if (sorted.empty()) return NAN;
  const auto n = static_cast<double>(sorted.size());
  return sorted[static_cast<size_t>(std::max(0.0, std::ceil(share * n) - 1))];
}

// "1: 120, 2: 30, 3-4: 7": from and how often, in powers of two.
std::string sizes_text(const std::map<int64_t, int64_t>& sizes) {
  std::string text;
  int64_t n = 0, sum = 0;
  for (int64_t low = 1, high = 1; low < (int64_t{1} << 20); low = high + 1, high *= 2) {
    int64_t count = 0;
    for (auto it = sizes.lower_bound(low); it != sizes.end() && it->first <= high; ++it)
      count += it->second, sum += it->first * it->second;
    if (count > 0) {
      text += (text.empty() ? "" : ", ") + std::to_string(low) +
              (high > low ? "-" + std::to_string(high) : "") + ": " + std::to_string(count);
    }
    n += count;
  }
  if (n == 0) return "none";
  char mean[32];
  std::snprintf(mean, sizeof mean, " (mean %.1f)",
                static_cast<double>(sum) / static_cast<double>(n));
  return text + mean;
}

GpuWatch* gpu = nullptr;
timed::Record counted;
std::optional<double> gpu_share;
std::map<int, ThreadTime> threads;  // at the begin, then what each has spent

void begin_counting() {
  timed::take();
  threads = thread_times();
  gpu->restart();
}
void end_counting() {
  threads = since(threads, thread_times());
  counted = timed::take();
  gpu_share = gpu->busy_share();
}

// Processors, by what they did. The cameras' pictures and sound are made in threads of their
// elements, behind which a queue's thread pushes them through vidifilter.
void print_host(int seconds) {
  std::map<std::string, double> parts;
  for (const auto& [thread, time] : threads) {
    const auto model = counted.engine_cpu_s.find(thread);
    const auto is = [&](const char* name) { return time.name.starts_with(name); };
    if (model != counted.engine_cpu_s.end()) {
      parts["engine"] += model->second;
      parts["scheduler"] += time.cpu_s - model->second;
    } else {
      parts[is("videotestsrc") || is("audiotestsrc") ? "cameras"
            : is("queue")                            ? "element"
            : is("vidi-windows")                     ? "windows"
                                                     : "other"] += time.cpu_s;
    }
  }
  std::printf("  host    ");
  for (const char* part : {"element", "windows", "scheduler", "engine", "other", "cameras"})
    std::printf(" %s %.2f,", part, parts[part] / std::max(1, seconds));
  std::printf(" of %u processors\n", std::thread::hardware_concurrency());
}

void print(const Row& row, const CameraOptions& o, const Outcome& outcome) {
  std::printf("cameras=%d answer-tokens=%d questions=%d window=%d stride=%d keep=%d, %s, %d s\n",
              row.cameras, row.answer_tokens, row.questions, row.window, row.stride, row.keep,
              o.in_step ? "in step" : "started anywhere", o.seconds);
  std::printf("  windows  %zu analysed, %lld failed, %lld dropped", outcome.delays.size(),
              static_cast<long long>(sum_of(outcome.failures)),
              static_cast<long long>(sum_of(outcome.drops)));
  for (const auto& [reason, n] : outcome.drops)
    std::printf(", %s %lld", reason.c_str(), static_cast<long long>(n));
  std::printf("; %d ended", row.cameras * o.seconds / row.stride);
  if (!outcome.drops.empty())
    std::printf("; no camera lost more than %.0f %%", 100 * outcome.largest_loss);
  std::printf("\n");
  if (outcome.delays.empty()) {
    std::printf("  delay    no window was analysed\n");
  } else {
    std::printf("  delay    p50 %.2f s, p95 %.2f s, max %.2f s\n", at_share(outcome.delays, 0.5),
                at_share(outcome.delays, 0.95), at_share(outcome.delays, 1));
  }
  const auto share = [&](double s) { return 100 * s / std::max(1, o.seconds); };
  std::printf("  model    busy %.0f %% (towers %.0f, keys and values %.0f, answers %.0f)",
              share(counted.busy_s), share(counted.look_s), share(counted.stream_s),
              share(counted.answer_s));
  if (gpu_share) std::printf("; GPU busy %.0f %%", 100 * *gpu_share);
  const auto n_tokens = static_cast<double>(counted.n_tokens);
  std::printf("\n  tokens   %.1f a second", n_tokens / std::max(1, o.seconds));
  if (n_tokens > 0)
    std::printf(", %.2f ms of the model for each", 1e3 * counted.answer_s / n_tokens);
  std::printf("\n  memory   %.2f GB of the device at most, %.2f GB of the host\n",
              static_cast<double>(counted.peak_device_bytes) / 1e9,
              static_cast<double>(counted.peak_process_bytes) / 1e9);
  print_host(o.seconds);
  std::printf("  rows     in a pass: %s\n", sizes_text(counted.passes).c_str());
  if (counted.n_passes_failed > 0) {
    std::printf("  passes   %lld cancelled, or out of memory\n",
                static_cast<long long>(counted.n_passes_failed));
  }
  std::printf("  pictures in the tower: %s\n", sizes_text(counted.tower_passes).c_str());
  for (const auto& [error, n] : outcome.failures)
    std::printf("  failed   %lld: %s\n", static_cast<long long>(n), error.c_str());
  for (const std::string& error : outcome.errors) std::printf("  error    %s\n", error.c_str());
  if (outcome.n_errors > 0)
    std::printf("  errors   %lld\n", static_cast<long long>(outcome.n_errors));
  std::fflush(stdout);
}

// Of several the first is watched.
unsigned gpu_index() {
  const std::string& list = options["--device"];
  const std::string device = list.substr(0, list.find(','));
  return device.starts_with("cuda:") && device != "cuda:all"
             ? static_cast<unsigned>(number("--device", device.substr(5), 0))
             : 0;
}

int run(int argc, char** argv) {
  const Arguments arguments = parse(argc, argv);
  timed::use_geometry(options["--geometry"]);
  timed::fix_answer_lengths(true);
  GpuWatch watch(gpu_index());
  gpu = &watch;
  const Keeper keeper(arguments.cameras.element);
  int64_t n_errors = 0;
  for (const Row& row : arguments.rows) {
    const Outcome outcome = run_row(row, arguments.cameras, begin_counting, end_counting);
    print(row, arguments.cameras, outcome);
    n_errors += outcome.n_errors;
  }
  return n_errors > 0 ? 1 : 0;
}

}  // namespace
}  // namespace vidi

int main(int argc, char** argv) {
  setenv("GST_PLUGIN_PATH", VIDI_PLUGIN_FOLDER, 0);
  setenv("VIDI_ENGINE", VIDI_TIMED_ENGINE, 1);
  gst_init(&argc, &argv);
  try {
    return vidi::run(argc, argv);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "bench-cameras: %s\n", error.what());
    return 2;
  }
}
