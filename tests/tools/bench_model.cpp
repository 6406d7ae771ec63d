// Times every phase of the engine: at real sizes with random weights made on the device, or of a
// checkpoint folder. Each phase stands beside what a plain big matrix product or a plain copy
// reaches in the same run.
#include <c10/core/InferenceMode.h>
#include <getopt.h>
#include <sys/resource.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "examples/common/byte_count.h"
#include "kernels/layers/argmax.h"
#include "kernels/layers/linear.h"
#include "kernels/log_mel.h"
#include "model/checkpoint/open_checkpoint.h"
#include "model/decoder/cuda_graph.h"
#include "model/device/device.h"
#include "model/session/checkpoint_facts.h"
#include "model/session/vidi_session.h"
#include "model/towers/preprocess.h"
#include "tests/support/aten.h"
#include "tests/tools/geometry.h"
#include "tests/tools/print_plan.h"
#include "tests/tools/storage_format.h"

namespace vidi {
namespace {

constexpr const char* kUsage =
    "usage: bench-model --geometry vidi1.5-9b|vidi-7b|tiny [--seconds 306] [--queries 1]\n"
    "         [--precision fp32|fp16|bf16] [--weights auto|native|int8] [--keys auto|native|int8]\n"
    "         [--device auto] [--new-tokens 34] [--json FILE] [--memory-limit 24GB]\n"
    "       bench-model --geometry NAME|--checkpoint FOLDER [--seconds 306] [--memory-limit 20GB] "
    "[--device cpu] --plan\n"
    "       bench-model --checkpoint FOLDER [--seconds 306] ...\n"
    "       bench-model --load FOLDER [--precision ...] [--device auto] [--memory-limit 24GB]\n";
constexpr int kPromptTokens = 31;  // of a typical retrieval question

struct Arguments {
  std::string geometry, json;
  int seconds = 306, queries = 1, new_tokens = 34;
  bool only_load = false;
  bool only_plan = false;
  bool names_form = false;         // --weights or --keys was given
  double core_seconds_before = 0;  // that the process had used when main() began
  OpenOptions open;                // with a folder: of that checkpoint
};

struct Phase {
  std::string name;
  double seconds = 0;
  double core_seconds = 0;  // of all cores, spinning included
  double tflop = 0;         // floating-point operations, 10^12
  double gigabytes = 0;     // memory traffic that cannot be avoided, 10^9
};

struct Time {
  double seconds = 0, core_seconds = 0;
};

// Of this process on all cores; while it loaded its libraries, when asked first thing in main().
double core_seconds() { return static_cast<double>(std::clock()) / CLOCKS_PER_SEC; }

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[(values.size() - 1) / 2];
}

// Median times of one call, the device idle before and after. The first call warms up and is not
// counted.
Time time_call(at::Device device, int n_runs, const std::function<void()>& call) {
  std::vector<double> seconds, cores;
  for (int i = 0; i <= n_runs; ++i) {
    synchronize(device);
    const double cores_before = core_seconds();
    const auto start = std::chrono::steady_clock::now();
    call();
    synchronize(device);
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
    if (i == 0 && n_runs > 0) continue;
    seconds.push_back(took.count());
    cores.push_back(core_seconds() - cores_before);
  }
  return {median(seconds), median(cores)};
}

// Operations of a transformer layer's products over `rows` rows that attend to `keys` keys.
double layer_flop(double rows, double width, double mlp, double keys) {
  return 2 * rows * (4 * width * width + 2 * width * mlp) + 4 * rows * keys * width;
}

class Bench {
 public:
  explicit Bench(const Arguments& a) : a_(a) {
    device_ = choose_device(a.open.device);
    dtype_ = choose_dtype(a.open.precision, device_);
    // A limited device is full, later.
    if (is_limited()) plain_speeds(3584, 14336);
    const Time load = time_call(at::kCPU, 0, [&] { session_ = open_session(); });
    device_ = session_->model().device(), dtype_ = session_->model().dtype();
    if (!a.open.folder.empty()) {
      add("load of the libraries", {0, a.core_seconds_before});
      add("load of the model", load);
    }
    const auto rate = a.open.folder.empty() ? Result<double>(1.0) : frame_rate(a.open.folder);
    n_frames_ = std::max(2, static_cast<int>(a.seconds * (rate ? *rate : 1.0)));
    n_chunks_ = (a.seconds + 29) / 30;
  }

  void run() {
    const DecoderConfig& d = session_->model().config().decoder;
    if (!is_limited()) plain_speeds(d.hidden, d.mlp);
    preprocess();
    towers();
    // By itself the decoder knows of no limit.
    if (a_.open.memory_limit == 0) encode();
    patches_ = states_ = at::Tensor();
    questions();
  }
  void print() const;
  nlohmann::json as_json() const;

 private:
  std::unique_ptr<VidiSession> open_session() const;
  void add(const std::string& name, const Time& time, double tflop = 0, double gigabytes = 0) {
    phases_.push_back({name, time.seconds, time.core_seconds, tflop, gigabytes});
  }
  bool is_limited() const { return device_.is_cuda() && a_.open.memory_limit > 0; }
  void plain_speeds(int64_t hidden, int64_t mlp);
  void print_limit() const;
  void preprocess();
  void towers();
  void encode();
  void read(const MediaCache& cache);
  void questions();
  void look_and_listen(Window& window, const std::vector<Frame>& frames);
  double stream_tflop(double tokens) const;
  at::TensorOptions options() const { return at::TensorOptions(dtype_).device(device_); }

  Arguments a_;
  std::unique_ptr<VidiSession> session_;
  at::Device device_{at::kCPU};
  at::ScalarType dtype_ = at::kFloat;
  int n_frames_ = 0, n_chunks_ = 0;
  double product_tflops_ = 0, copy_gbs_ = 0, pinned_gbs_ = 0;
  at::Tensor patches_, states_;  // features of one frame, encoder states of all sound
  std::shared_ptr<const Encoded> encoded_;
  std::vector<Phase> phases_;
};

std::unique_ptr<VidiSession> Bench::open_session() const {
  OpenOptions window = a_.open;  // the form of the weights follows from it
  window.window_seconds = a_.seconds;
  if (!window.folder.empty()) return VidiSession::load(window, Cancel());
  window.window_frames = a_.seconds;
  const CheckpointGeometry geometry = checkpoint_geometry(a_.geometry);
  return VidiSession::random(config_of(geometry), shapes_of(geometry), window, 1);
}

// A product at the decoder's own shape, a copy far larger than any cache, and one from pinned
// memory of the host.
void Bench::plain_speeds(int64_t hidden, int64_t mlp) {
  const int64_t rows = device_.is_cuda() ? 8192 : 512;
  at::Tensor x = at::randn({rows, hidden}, options()), w = at::randn({mlp, hidden}, options());
  const double flop = 2.0 * rows * hidden * mlp;
  product_tflops_ = flop / 1e12 / time_call(device_, 50, [&] { apply_linear(x, w); }).seconds;
  at::Tensor from = at::zeros({device_.is_cuda() ? int64_t{2} << 30 : int64_t{1} << 28},
                              options().dtype(at::kByte));
  at::Tensor to = at::empty_like(from);
  copy_gbs_ = 2.0 * from.numel() / 1e9 / time_call(device_, 10, [&] { to.copy_(from); }).seconds;
  if (!device_.is_cuda()) return;
  from = at::zeros({int64_t{1} << 28}, at::TensorOptions(at::kByte).pinned_memory(true));
  to = to.narrow(0, 0, from.numel());
  pinned_gbs_ = from.numel() / 1e9 / time_call(device_, 10, [&] { to.copy_(from, true); }).seconds;
  from = to = x = w = at::Tensor();
  free_device_cache(device_);
}

void Bench::preprocess() {
  constexpr int kWidth = 1920, kHeight = 1080;
  std::vector<uint8_t> picture(kWidth * kHeight * 3);
  for (size_t i = 0; i < picture.size(); ++i)
    picture[i] = static_cast<uint8_t>(i * 2654435761u >> 24);
  const auto batch = static_cast<int>(session_->frames_at_once());
  const std::vector<Frame> frames(batch, Frame{picture.data(), kWidth, kHeight, kWidth * 3});
  const int side = session_->model().config().vision.image_size;
  add("preprocess: 1080p frames",
      time_call(device_, 1,
                [&] {
                  for (int at = 0; at < n_frames_; at += batch) {
                    make_pixels(frames.data(), std::min(batch, n_frames_ - at), side, device_,
                                dtype_);
                  }
                }),
      0, n_frames_ * picture.size() / 1e9);
  std::vector<float> samples(kChunkSamples, 0.25f);
  for (size_t i = 0; i < samples.size(); i += 3) samples[i] = -0.25f;
  add("preprocess: log-mel", time_call(device_, 1, [&] {
        for (int c = 0; c < n_chunks_; ++c) {
          make_mel(samples.data(), kChunkSamples, session_->model().config().audio.n_mels, device_,
                   dtype_);
        }
      }));
}

void Bench::towers() {
  const VisionConfig& v = session_->model().config().vision;
  const double patches = double(v.grid) * v.grid;
  const int batch = static_cast<int>(session_->frames_at_once());
  at::Tensor pixels = at::randn({batch, 3, v.image_size, v.image_size}, options());
  const Time vision = time_call(device_, 1, [&] {
    for (int at = 0; at < n_frames_; at += batch) {
      patches_ =
          session_->model().vision_tower()(pixels.narrow(0, 0, std::min(batch, n_frames_ - at)));
    }
  });
  patches_ = patches_[0].clone();
  add("vision tower", vision,
      n_frames_ * v.layers_to_run * layer_flop(patches, v.hidden, v.mlp, patches) / 1e12);

  const AudioConfig& s = session_->model().config().audio;
  at::Tensor mel = at::randn({1, s.n_mels, kMelFrames}, options());
  at::Tensor chunk;
  const Time audio = time_call(device_, 1, [&] {
    for (int c = 0; c < n_chunks_; ++c) chunk = session_->model().audio_tower()(mel);
  });
  const double steps = s.positions;
  add("audio tower", audio,
      n_chunks_ * s.layers * layer_flop(steps, s.hidden, s.mlp, steps) / 1e12);
  states_ = chunk[0].repeat({n_chunks_, 1}).narrow(0, 0, a_.seconds * 50);
}

double Bench::stream_tflop(double tokens) const {
  const DecoderConfig& d = session_->model().config().decoder;
  const double keys = 2.0 * d.hidden * d.kv_heads * d.head_dim;
  const double rest = 1.0 * d.hidden * d.heads * d.head_dim + 3.0 * d.hidden * d.mlp;
  return 2 * tokens * (d.layers * keys + (d.layers - 1) * rest) / 1e12;
}

void Bench::encode() {
  const Projector& projector = session_->model().projector();
  const int64_t per_frame = projector.tokens_per_frame(n_frames_);
  const int64_t n_image = n_frames_ * per_frame,
                n_audio = projector.n_audio_tokens(states_.size(0));
  const int64_t step = std::max<int64_t>(1, 8192 / per_frame);
  at::Tensor features = patches_.unsqueeze(0).expand({step, -1, -1}).contiguous();
  at::Tensor image_tokens, audio_tokens;
  add("projector", time_call(device_, 1, [&] {
        at::Tensor codes = projector.time_codes(n_frames_);
        for (int64_t first = 0; first < n_frames_; first += step) {
          const int64_t n = std::min<int64_t>(step, n_frames_ - first);
          image_tokens =
              projector.image_tokens(features.narrow(0, 0, n), first, n_frames_, codes, {});
        }
        audio_tokens = projector.audio_tokens(states_, 0, n_audio, {});
      }));
  image_tokens = image_tokens.narrow(0, 0, per_frame).repeat({step, 1});
  const MediaCache cache = session_->model().decoder().make_media_cache(n_image, n_audio);
  const Cancel cancel;
  add("decoder stream",
      time_call(device_, 1,
                [&] {
                  for (int64_t first = 0; first < n_image; first += step * per_frame) {
                    const int64_t n = std::min(step * per_frame, n_image - first);
                    session_->model().decoder().prefill_media(
                        image_tokens.narrow(0, 0, n), Modality::kImage, first, cache, cancel);
                  }
                  session_->model().decoder().prefill_media(audio_tokens, Modality::kAudio, 0,
                                                            cache, cancel);
                }),
      stream_tflop(n_image + n_audio));

  read(cache);
}

// A prompt, and then a token at a time, recorded as in Batch.
void Bench::read(const MediaCache& cache) {
  const Cancel cancel;
  const std::vector<std::vector<int>> prompts(a_.queries, std::vector<int>(kPromptTokens, 5));
  TextCache text;
  at::Tensor logits;
  add("prefill", time_call(device_, 3, [&] {
        text = {};
        logits = session_->model().decoder().prefill(prompts, cache, text, {}, cancel);
      }));
  double weights = session_->info().weight_bytes, keys = 0;  // but for towers and an untied table
  for (const auto& [name, w] : session_->model().weights()) {
    const bool table = name.find("embed_tokens") != std::string::npos &&
                       !session_->model().config().decoder.tied_embeddings;
    if (name.find("mm_") != std::string::npos || table) weights -= w.nbytes();
  }
  for (const auto& layers : cache.layers) {
    for (const MediaKeys& k : layers) keys += k.key.n_bytes() + k.value.n_bytes();
  }
  at::Tensor ids = logits.argmax(-1, /*keepdim=*/true);
  at::Tensor positions = at::full_like(ids, kPromptTokens);
  const Decoder& decoder = session_->model().decoder();
  decoder.reserve(text, a_.queries, kPromptTokens + a_.new_tokens + 2);
  auto step = [&] {
    at::Tensor next =
        decoder.step(ids, positions, text.capacity, {{&cache, a_.queries}}, text, cancel);
    ids.copy_(pick_tokens(next.flatten(0, 1)).ids.unsqueeze(1));
    positions.add_(1);
  };
  CudaGraph graph(device_);
  graph.run(step, false);
  add("step", time_call(device_, a_.new_tokens, [&] { graph.run(step, true); }), 0,
      (weights + keys) / 1e9);
}

void Bench::look_and_listen(Window& window, const std::vector<Frame>& frames) {
  const Cancel cancel;
  const std::vector<float> samples(kChunkSamples, 0.1f);
  window.frames.clear(), window.audio.clear();
  auto seen = session_->encode_images(frames, cancel);
  if (!seen) throw EngineError(seen.error().code, seen.error().message);
  window.frames = *seen;
  for (int left = a_.seconds * kSampleRateHz; left > 0; left -= kChunkSamples) {
    auto heard = session_->encode_audio(samples.data(), std::min(left, kChunkSamples), cancel);
    if (!heard) throw EngineError(heard.error().code, heard.error().message);
    window.audio.push_back(*heard);
  }
}

// Through the API, as the element asks: the whole encode from features, and whole answers. Under a
// memory limit with the towers' way to the device, too.
void Bench::questions() {
  const Cancel cancel;
  const int side = session_->model().config().vision.image_size;
  std::vector<uint8_t> picture(side * side * 3, 100);
  Window window;
  window.duration_s = a_.seconds;
  const std::vector<Frame> frames(n_frames_, Frame{picture.data(), side, side, size_t(side) * 3});
  look_and_listen(window, frames);
  add("whole: encode from features", time_call(device_, 1, [&] {
        encoded_.reset();  // the old keys and values go first
        auto encoded = session_->encode(window, cancel);
        if (!encoded) throw EngineError(encoded.error().code, encoded.error().message);
        encoded_ = *encoded;
      }));
  AskOptions options;
  options.max_new_tokens = a_.new_tokens, options.stop_repetition = false;
  const std::vector<std::vector<int>> prompts(a_.queries, std::vector<int>(kPromptTokens, 5));
  add("whole: " + std::to_string(a_.queries) + " question(s), " + std::to_string(a_.new_tokens) +
          " tokens",
      time_call(device_, 1, [&] { session_->ask_ids(*encoded_, prompts, options, cancel); }));
  if (a_.open.memory_limit == 0) return;
  add("whole: look, listen, encode", time_call(device_, 2, [&] {
        encoded_.reset();
        look_and_listen(window, frames);
        auto encoded = session_->encode(window, cancel);
        if (!encoded) throw EngineError(encoded.error().code, encoded.error().message);
        encoded_ = *encoded;
      }));
}

void Bench::print() const {
  const ModelInfo info = session_->info();
  std::printf("%s, %s on %s, %d s, %d question(s)\n",
              a_.open.folder.empty() ? a_.geometry.c_str() : info.family.c_str(),
              info.precision.c_str(), info.device.c_str(), a_.seconds, a_.queries);
  const int decimals = device_.is_cuda() ? 1 : 4;
  std::printf("plain product %.*f TFLOP/s, plain copy %.0f GB/s", decimals, product_tflops_,
              copy_gbs_);
  if (pinned_gbs_ > 0) std::printf(", from pinned memory %.1f GB/s", pinned_gbs_);
  std::printf("\n");
  std::printf("%-34s %12s %12s %10s %10s %8s\n", "phase", "ms", "core ms", "TFLOP/s", "GB/s",
              "share");
  for (const Phase& p : phases_) {
    std::printf("%-34s %12.2f %12.2f", p.name.c_str(), p.seconds * 1e3, p.core_seconds * 1e3);
    if (p.tflop > 0) {
      const double speed = p.tflop / p.seconds;
      std::printf(" %10.*f %10s %7.1f%%\n", decimals, speed, "", 100 * speed / product_tflops_);
    } else if (p.gigabytes > 0) {
      const double speed = p.gigabytes / p.seconds;
      std::printf(" %10s %10.1f %7.1f%%\n", "", speed, 100 * speed / copy_gbs_);
    } else {
      std::printf("\n");
    }
  }
  std::printf("weights %.2f GB, keys and values of %lld tokens, peak device memory %.2f GB\n",
              info.weight_bytes / 1e9, static_cast<long long>(encoded_->n_tokens()),
              memory_use(device_).peak / 1e9);
  if (a_.open.memory_limit > 0) print_limit();
}

void Bench::print_limit() const {
  const DeviceModel& model = session_->model();
  const MemoryUse used = memory_use(device_);
  std::printf("memory limit %.2f GB, at most held by the allocator %.2f GB, towers (%.2f GB) %s\n",
              a_.open.memory_limit / 1e9, used.held_peak / 1e9, model.towers().bytes() / 1e9,
              model.towers().on_device() ? "stay on the device" : "leave it for each window");
  const ModelPlan& form = model.form();
  std::printf("planned %.2f GB (held: %.1f %%): %s, %lld layers (%.2f GB) in the host's memory\n",
              form.total() / 1e9, 100.0 * used.held_peak / form.total(), form_text(form).c_str(),
              static_cast<long long>(form.spilled_layers), form.host_bytes / 1e9);
}

nlohmann::json Bench::as_json() const {
  nlohmann::json rows = nlohmann::json::array();
  for (const Phase& p : phases_) {
    rows.push_back({{"phase", p.name},
                    {"seconds", p.seconds},
                    {"core_seconds", p.core_seconds},
                    {"tflop", p.tflop},
                    {"gigabytes", p.gigabytes}});
  }
  const ModelInfo info = session_->info();
  return {{"geometry", a_.geometry},
          {"device", info.device},
          {"precision", info.precision},
          {"seconds", a_.seconds},
          {"queries", a_.queries},
          {"tokens", encoded_->n_tokens()},
          {"product_tflops", product_tflops_},
          {"copy_gb_per_s", copy_gbs_},
          {"phases", rows},
          {"weight_bytes", info.weight_bytes},
          {"peak_device_bytes", memory_use(device_).peak},
          {"peak_held_bytes", memory_use(device_).held_peak},
          {"memory_limit", a_.open.memory_limit},
          {"towers_left", !session_->model().towers().on_device()}};
}

// Peak resident memory of this process so far, bytes.
int64_t peak_host_bytes() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return int64_t{usage.ru_maxrss} * 1024;
}

// Loads a checkpoint folder and says how long it took and how much host memory it needed beyond
// what a process with the device in use has anyway.
void time_load(const Arguments& a) {
  const at::Device device = choose_device(a.open.device);
  at::zeros({1 << 20}, at::TensorOptions(device)).add_(1).sum().item<float>();
  const int64_t before = peak_host_bytes();
  auto session = VidiSession::load(a.open, Cancel());
  const ModelInfo info = session->info();
  std::printf(
      "%s, %s on %s: %.2f GB of weights in %.2f s (%.2f GB/s), peak host memory %.2f GB, %.2f GB "
      "before\n",
      info.family.c_str(), info.precision.c_str(), info.device.c_str(), info.weight_bytes / 1e9,
      info.load_seconds, info.weight_bytes / 1e9 / info.load_seconds, peak_host_bytes() / 1e9,
      before / 1e9);
}

[[noreturn]] void bad_argument(const std::string& message) {
  throw EngineError(ErrorCode::kBadInput, message);
}

int parse_count(const std::string& name, const std::string& text, int low, int high) {
  int value = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error == std::errc() && end == text.data() + text.size() && value >= low && value <= high)
    return value;
  bad_argument("--" + name + " is \"" + text + "\", expected " + std::to_string(low) + " to " +
               std::to_string(high));
}

Precision parse_precision(const std::string& text) {
  if (text == "fp32") return Precision::kFp32;
  if (text == "fp16") return Precision::kFp16;
  if (text == "bf16") return Precision::kBf16;
  bad_argument("--precision is \"" + text + "\", expected fp32, fp16 or bf16");
}

uint64_t parse_limit(const std::string& text) {
  const auto bytes = parse_byte_count(text);
  if (bytes) return *bytes;
  bad_argument("--memory-limit is \"" + text + "\", expected bytes, such as 24GB or 22000000000");
}

Arguments parse_arguments(int argc, char** argv) {
  static const option kOptions[] = {{"geometry", required_argument, nullptr, 'g'},
                                    {"seconds", required_argument, nullptr, 's'},
                                    {"queries", required_argument, nullptr, 'q'},
                                    {"precision", required_argument, nullptr, 'p'},
                                    {"weights", required_argument, nullptr, 'w'},
                                    {"keys", required_argument, nullptr, 'k'},
                                    {"device", required_argument, nullptr, 'd'},
                                    {"json", required_argument, nullptr, 'j'},
                                    {"new-tokens", required_argument, nullptr, 'n'},
                                    {"load", required_argument, nullptr, 'l'},
                                    {"checkpoint", required_argument, nullptr, 'c'},
                                    {"memory-limit", required_argument, nullptr, 'm'},
                                    {"plan", no_argument, nullptr, 'P'},
                                    {"help", no_argument, nullptr, 'h'},
                                    {}};
  Arguments a;
  for (int c; (c = getopt_long(argc, argv, "", kOptions, nullptr)) != -1;) {
    switch (c) {
      case 'g':
        a.geometry = optarg;
        break;
      case 's':
        a.seconds = parse_count("seconds", optarg, 2, 36000);
        break;
      case 'q':
        a.queries = parse_count("queries", optarg, 1, 32);
        break;
      case 'n':
        a.new_tokens = parse_count("new-tokens", optarg, 1, 1024);
        break;
      case 'p':
        a.open.precision = parse_precision(optarg);
        break;
      case 'w':
        a.open.weights = parse_format<WeightFormat>("weights", optarg);
        a.names_form = true;
        break;
      case 'k':
        a.open.keys = parse_format<KeyFormat>("keys", optarg);
        a.names_form = true;
        break;
      case 'm':
        a.open.memory_limit = parse_limit(optarg);
        break;
      case 'd':
        a.open.device = optarg;
        break;
      case 'j':
        a.json = optarg;
        break;
      case 'l':
        a.only_load = true;
        [[fallthrough]];
      case 'c':
        a.open.folder = optarg;
        break;
      case 'P':
        a.only_plan = true;
        break;
      case 'h':
        std::fputs(kUsage, stdout);
        std::exit(0);
      default:
        bad_argument("an option is not understood, see bench-model --help");
    }
  }
  if (a.geometry.empty() == a.open.folder.empty() || optind != argc) {
    bad_argument("expected one of --geometry, --checkpoint and --load, see bench-model --help");
  }
  return a;
}

// Weights and keys are auto unless one of them was asked for.
void plan(const Arguments& arguments) {
  OpenOptions options = arguments.open;
  if (!arguments.names_form) options.weights = WeightFormat::kAuto, options.keys = KeyFormat::kAuto;
  if (!options.folder.empty()) {
    const Checkpoint checkpoint = open_checkpoint(options.folder);
    return print_plan(checkpoint.config, checkpoint.files, options, arguments.seconds);
  }
  const CheckpointGeometry geometry = checkpoint_geometry(arguments.geometry);
  print_plan(config_of(geometry), shapes_of(geometry), options, arguments.seconds);
}

}  // namespace
}  // namespace vidi

int main(int argc, char** argv) {
  try {
    c10::InferenceMode inference;
    const double core_seconds_before = vidi::core_seconds();
    vidi::Arguments arguments = vidi::parse_arguments(argc, argv);
    arguments.core_seconds_before = core_seconds_before;
    if (arguments.only_plan) {
      vidi::plan(arguments);
      return 0;
    }
    if (arguments.only_load) {
      vidi::time_load(arguments);
      return 0;
    }
    vidi::Bench bench(arguments);
    bench.run();
    bench.print();
    if (!arguments.json.empty()) {
      std::ofstream file(arguments.json);
      file << bench.as_json().dump(1) << "\n";
      if (!file.flush()) throw std::runtime_error("cannot write " + arguments.json);
    }
    return 0;
  } catch (const c10::Error& e) {
    const std::string text = e.what_without_backtrace();
    std::fprintf(stderr, "bench-model: %s\n", text.substr(0, text.find('\n')).c_str());
  } catch (const std::exception& e) {
    std::fprintf(stderr, "bench-model: %s\n", e.what());
  }
  return 1;
}
