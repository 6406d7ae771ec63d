#include "tests/tools/model_bench.h"

#include <algorithm>
#include <chrono>
#include <ctime>
#include <functional>
#include <utility>

#include "kernels/layers/argmax.h"
#include "kernels/layers/linear.h"
#include "kernels/log_mel.h"
#include "model/decoder/cuda_graph.h"
#include "model/device/device.h"
#include "model/session/checkpoint_facts.h"
#include "model/session/encoded_window.h"
#include "model/towers/preprocess.h"
#include "tests/tools/geometry.h"

namespace vidi {

double core_seconds() { return static_cast<double>(std::clock()) / CLOCKS_PER_SEC; }

namespace {

constexpr int kPromptTokens = 31;  // of a typical retrieval question

template <class T>
T value_or_throw(Result<T> result) {
  if (!result) throw EngineError(result.error().code, result.error().message);
  return std::move(*result);
}

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

}  // namespace

Bench::Bench(const Arguments& a) : a_(a) {
  device_ = choose_device(a.open.device.substr(0, a.open.device.find(',')));
  dtype_ = choose_dtype(a.open.precision, device_);
  // A limited device is full, later.
  if (is_limited()) plain_speeds(3584, 14336);
  const Time load = time_call(at::kCPU, 0, [&] { session_ = open_session(); });
  loaded_ = memory_use(session_->model().device());
  device_ = session_->model().device(), dtype_ = session_->model().dtype();
  if (!a.open.folder.empty()) {
    add("load of the libraries", {0, a.core_seconds_before});
    add("load of the model", load);
  }
  const auto rate = a.open.folder.empty() ? Result<double>(1.0) : frame_rate(a.open.folder);
  n_frames_ = std::max(2, static_cast<int>(a.seconds * (rate ? *rate : 1.0)));
  n_chunks_ = (a.seconds + 29) / 30;
}

void Bench::run() {
  const DecoderConfig& d = session_->model().config().decoder;
  if (!is_limited()) plain_speeds(d.hidden, d.mlp);
  preprocess();
  towers();
  // By itself the decoder knows of no limit; the window's keys and values then serve a step.
  if (a_.open.memory_limit == 0) encode();
  patches_ = states_ = at::Tensor();
  questions();
  if (a_.open.memory_limit > 0) read(static_cast<const EncodedWindow&>(*encoded_).cache);
}

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
          image_tokens = projector.image_tokens(features.narrow(0, 0, n), codes.narrow(0, first, n),
                                                n_frames_, {});
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

Window Bench::listen() {
  const std::vector<float> samples(kChunkSamples, 0.1f);
  Window window;
  window.duration_s = a_.seconds;
  for (int left = a_.seconds * kSampleRateHz; left > 0; left -= kChunkSamples) {
    window.audio.push_back(value_or_throw(
        session_->encode_audio(samples.data(), std::min(left, kChunkSamples), Cancel())));
  }
  return window;
}

FrameList Bench::look(const std::vector<Frame>& frames, size_t first, size_t n) {
  const auto begin = frames.begin() + static_cast<std::ptrdiff_t>(first);
  return value_or_throw(
      session_->encode_images({begin, begin + static_cast<std::ptrdiff_t>(n)}, Cancel()));
}

// As the element does it: pictures are looked at as they are streamed where the engine has room for
// that, else before.
void Bench::encode_whole(const std::vector<Frame>& frames) {
  encoded_.reset();
  Window window = listen();
  free_device_cache(device_);
  heard_ = memory_use(device_);
  WindowSize size;
  size.n_frames = size.n_unseen = frames.size();
  size.n_samples = int64_t{a_.seconds} * kSampleRateHz;
  window.partial = value_or_throw(session_->begin_complete_window(size));
  const size_t step = window.partial ? window.partial->frames_per_piece() : frames.size();
  for (size_t first = 0; first < frames.size(); first += step) {
    FrameList seen = look(frames, first, std::min(step, frames.size() - first));
    if (!window.partial) {
      window.frames = std::move(seen);
      break;
    }
    value_or_throw(session_->append(*window.partial, first, seen, Cancel()));
  }
  window.frames.resize(frames.size());
  encoded_ = value_or_throw(session_->encode(window, Cancel()));
}

void Bench::encode_from_features(const std::vector<Frame>& frames) {
  Window window = listen();
  window.frames = look(frames, 0, frames.size());
  add("whole: encode from features", time_call(device_, 1, [&] {
        encoded_.reset();  // the old keys and values go first
        encoded_ = value_or_throw(session_->encode(window, Cancel()));
      }));
}

// Through the API, as the element asks: the whole encode, and whole answers. Under a memory limit
// with the towers' way to the device, and without the features of all pictures at once.
void Bench::questions() {
  const Cancel cancel;
  const int side = session_->model().config().vision.image_size;
  std::vector<uint8_t> picture(side * side * 3, 100);
  const std::vector<Frame> frames(n_frames_, Frame{picture.data(), side, side, size_t(side) * 3});
  if (a_.open.memory_limit == 0) encode_from_features(frames);
  add("whole: look, listen, encode", time_call(device_, 2, [&] { encode_whole(frames); }));
  AskOptions options;
  options.max_new_tokens = a_.new_tokens, options.stop_repetition = false;
  const std::vector<std::vector<int>> prompts(a_.queries, std::vector<int>(kPromptTokens, 5));
  add("whole: " + std::to_string(a_.queries) + " question(s), " + std::to_string(a_.new_tokens) +
          " tokens",
      time_call(device_, 1, [&] { session_->ask_ids(*encoded_, prompts, options, cancel); }));
}

}  // namespace vidi
