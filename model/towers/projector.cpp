#include "model/towers/projector.h"

#include <algorithm>
#include <cmath>

#include "kernels/aten.h"
#include "kernels/layers/linear.h"
#include "kernels/layers/norm.h"
#include "model/result.h"

namespace vidi {
namespace {

// Rows (or columns) of a stride-1 convolution that align_corners bilinear shrinking to `n_out`
// reads, with their weights.
struct CornerSamples {
  at::Tensor low, high;  // int64 [n_out]: the two neighbours
  at::Tensor fraction;   // float [n_out]: weight of `high`
};

CornerSamples corner_samples(int64_t n_in, int64_t n_out) {
  CornerSamples s{at::empty({n_out}, at::kLong), at::empty({n_out}, at::kLong),
                  at::empty({n_out}, at::kFloat)};
  const float step = n_out > 1 ? static_cast<float>(n_in - 1) / (n_out - 1) : 0.0f;
  for (int64_t i = 0; i < n_out; ++i) {
    const float at = step * i;
    const int64_t low = std::min<int64_t>(static_cast<int64_t>(at), n_in - 1);
    s.low.data_ptr<int64_t>()[i] = low;
    s.high.data_ptr<int64_t>()[i] = std::min(low + 1, n_in - 1);
    s.fraction.data_ptr<float>()[i] = at - low;
  }
  return s;
}

// What bilinear shrinking (align_corners = false) takes of each of the first `n_real` of `n_in`
// places, float [n_out, n_real]; the places behind them are zeros.
at::Tensor shrink_weights(int64_t n_in, int64_t n_real, int64_t n_out) {
  at::Tensor weights = at::zeros({n_out, n_real}, at::kFloat);
  const float step = static_cast<float>(n_in) / n_out;
  for (int64_t i = 0; i < n_out; ++i) {
    const float at = std::max(0.0f, step * (i + 0.5f) - 0.5f);
    const int64_t low = std::min<int64_t>(static_cast<int64_t>(at), n_in - 1);
    auto add = [&](int64_t place, float weight) {
      if (place < n_real) weights.data_ptr<float>()[i * n_real + place] += weight;
    };
    add(low, 1 - (at - low));
    add(std::min(low + 1, n_in - 1), at - low);
  }
  return weights;
}

}  // namespace

int image_grid_side(const ProjectorConfig& config, int grid, int64_t n_frames) {
  if (config.image_pool_is_conv) return config.image_pool;
  const int pool = config.image_pool;
  // One zero row and column make the odd grid even. A grid that the pool divides as it is stays as
  // it is.
  int side = (grid + 1) % pool == 0 || grid % pool != 0 ? grid + 1 : grid;
  const double budget = static_cast<double>(config.frame_budget) * pool * pool;
  const double n = static_cast<double>(n_frames) * side * side;
  if (n > budget) {
    const int shrunk = static_cast<int>(side * std::sqrt(budget / n));
    side = std::max(10, shrunk - shrunk % 2);
  }
  if (side % pool != 0) {
    throw EngineError(ErrorCode::kUnsupported,
                      "the feature map of a window of " + std::to_string(n_frames) +
                          " frames has a side of " + std::to_string(side) +
                          ", expected a multiple of mm_image_pool_size, found " +
                          std::to_string(pool));
  }
  return side;
}

void Projector::PositionMlp::take(Weights& weights, const std::string& name, int64_t hidden,
                                  double n) {
  interval = n;
  in.take(weights, name + ".mlp.0", hidden, hidden, "hidden_size");
  out.take(weights, name + ".mlp.2", hidden, hidden, "hidden_size");
}

// Every rounding to float32 is where the published code has it: the arguments reach 9999, and there
// a last-bit change moves the sine by 1e-3.
at::Tensor Projector::PositionMlp::codes(int64_t length, int64_t first, int64_t n,
                                         double rms_eps) const {
  const int64_t hidden = in.weight.size(1);
  at::Tensor place = at::empty({n}, at::kFloat), frequency = at::empty({hidden / 2}, at::kFloat);
  for (int64_t i = 0; i < n; ++i) {
    const float fraction = static_cast<float>(first + i) / static_cast<float>(length - 1);
    place.data_ptr<float>()[i] = fraction * static_cast<float>(interval - 1);
  }
  const float c = static_cast<float>(-(std::log(10000.0) / hidden));
  for (int64_t k = 0; k < hidden / 2; ++k) {
    frequency.data_ptr<float>()[k] = std::exp(static_cast<float>(2 * k) * c);
  }
  at::Tensor angle = at::outer(place.to(in.weight.device()), frequency.to(in.weight.device()));
  at::Tensor wave = at::stack({angle.sin(), angle.cos()}, -1).flatten(1);  // interleaved
  auto in_float = [](const Linear& l, const at::Tensor& x) {
    return apply_linear(x, l.weight.to(at::kFloat), l.bias.to(at::kFloat));
  };
  at::Tensor code = in_float(out, at::gelu(in_float(in, wave)));
  return rms_normalize(code.to(in.weight.scalar_type()), rms_eps);
}

void Projector::take(Weights& weights, const ModelConfig& config) {
  config_ = config;
  const ProjectorConfig& p = config.projector;
  const int64_t hidden = config.decoder.hidden, vision = config.vision.hidden;
  const std::string root = "model.mm_rand_";
  if (p.image_pool_is_conv) {
    weights.take(image_conv_, root + "img_pool.conv.weight",
                 {vision, vision, p.image_conv_kernel, p.image_conv_kernel},
                 "vision hidden_size, mm_image_pool_size");
  }
  weights.take(audio_conv_, root + "aud_pool.weight",
               {p.audio_pool_channels, config.audio.hidden, p.audio_pool},
               "audio d_model, mm_audio_pool_size");
  image_mlp_.take(weights, root + "img_projector.model", p.image_projector_layers,
                  p.image_projector_in, hidden, "hidden_size, mm_image_pool_size");
  audio_mlp_.take(weights, root + "aud_projector.model", p.audio_projector_layers,
                  p.audio_pool_channels, hidden, "hidden_size");
  weights.take(image_norm_, root + "img_norm.weight", {hidden}, "hidden_size");
  weights.take(audio_norm_, root + "aud_norm.weight", {hidden}, "hidden_size");
  weights.take(token_norm_, root + "llm_norm.weight", {hidden}, "hidden_size");
  rows_.take(weights, root + "pos_h", hidden, p.image_pool);
  columns_.take(weights, root + "pos_w", hidden, p.image_pool);
  time_.take(weights, root + "pos_t", hidden, p.time_interval);
}

int64_t tokens_per_frame(const ModelConfig& config, int64_t n_frames) {
  const ProjectorConfig& p = config.projector;
  const int64_t side =
      image_grid_side(p, config.vision.grid, n_frames) / (p.image_pool_is_conv ? 1 : p.image_pool);
  return side * side;
}

at::Tensor Projector::time_codes(int64_t length, int64_t first, int64_t n) const {
  return time_.codes(length, first, n, config_.projector.norm_eps);
}

// map [f, g, g, C] -> [f, h, w, C * m * m], channel index = c * m * m + dy * m + dx. The shrinking
// of long windows is two small products, rows and then columns.
at::Tensor Projector::pool_by_depth(const at::Tensor& map, int64_t n_frames) const {
  const int64_t f = map.size(0), grid = map.size(1), c = map.size(3);
  const int64_t m = config_.projector.image_pool;
  const int64_t full = image_grid_side(config_.projector, config_.vision.grid, 1);
  const int64_t side = image_grid_side(config_.projector, config_.vision.grid, n_frames);
  at::Tensor x = map;
  if (side != full) {
    at::Tensor weights = shrink_weights(full, grid, side).to(map.options());
    x = at::matmul(weights, map.reshape({f, grid, grid * c}));
    x = at::matmul(weights, x.view({f * side, grid, c}));
  } else if (full > grid) {
    x = at::constant_pad_nd(x, {0, 0, 0, full - grid, 0, full - grid});
  }
  const int64_t out = side / m;
  x = x.reshape({f, out, m, out, m, c}).permute({0, 1, 3, 5, 2, 4});
  return x.reshape({f, out, out, c * m * m});
}

// Conv2d without padding, then bilinear with align_corners = true to pool x pool. The shrinking
// reads only a few rows and columns of the convolution's result, so only those are computed. map
// [f, C, g, g] -> [f, pool, pool, C].
at::Tensor Projector::pool_by_convolution(const at::Tensor& map) const {
  const int64_t kernel = image_conv_.size(2), pool = config_.projector.image_pool;
  const CornerSamples s = corner_samples(map.size(2) - kernel + 1, pool);
  at::Tensor needed = at::cat({s.low.to(map.device()), s.high.to(map.device())});
  at::Tensor windows = map.unfold(2, kernel, 1).unfold(3, kernel, 1);  // [f, C, side, side, k, k]
  windows = windows.index_select(2, needed).index_select(3, needed);
  at::Tensor patches = windows.permute({0, 2, 3, 1, 4, 5}).flatten(3);
  at::Tensor y = apply_linear(patches, image_conv_.flatten(1));  // [f, 2 pool, 2 pool, C]
  at::Tensor t = s.fraction.to(map.device()).to(map.scalar_type());
  auto blend = [&](const at::Tensor& x, int64_t dim) {
    at::Tensor low = x.narrow(dim, 0, pool), high = x.narrow(dim, pool, pool);
    at::Tensor weight = dim == 1 ? t.view({1, pool, 1, 1}) : t.view({1, 1, pool, 1});
    return low * (1 - weight) + high * weight;
  };
  return blend(blend(y, 2), 1);
}

at::Tensor Projector::image_tokens(const at::Tensor& features, const at::Tensor& time_codes,
                                   int64_t n_frames, const Tap& tap) const {
  const int64_t f = features.size(0), grid = config_.vision.grid;
  const double eps = config_.projector.norm_eps;
  at::Tensor map = features.view({f, grid, grid, features.size(2)});
  at::Tensor pooled = config_.projector.image_pool_is_conv
                          ? pool_by_convolution(map.permute({0, 3, 1, 2}))
                          : pool_by_depth(map, n_frames);
  tap_into(tap, "image.pooled", pooled);
  at::Tensor x = rms_norm(image_mlp_(pooled), image_norm_, eps, /*weight_offset=*/false);
  tap_into(tap, "image.projected", x);
  const int64_t h = x.size(1), w = x.size(2);
  x = x + rows_.codes(h, 0, h, eps).view({1, h, 1, -1});
  x = x + columns_.codes(w, 0, w, eps).view({1, 1, w, -1});
  x = x + time_codes.view({f, 1, 1, -1});
  x = rms_norm(x.flatten(0, 2), token_norm_, eps, /*weight_offset=*/false);
  tap_into(tap, "image.tokens", x);
  return x;
}

at::Tensor Projector::audio_tokens(const at::Tensor& states, int64_t first, int64_t n_tokens,
                                   const Tap& tap) const {
  const double eps = config_.projector.norm_eps;
  const int64_t pool = config_.projector.audio_pool;
  at::Tensor pooled = conv1d_rows(states.unsqueeze(0), audio_conv_, {}, pool, 0).squeeze(0);
  tap_into(tap, "audio.pooled", pooled);
  at::Tensor x = rms_norm(audio_mlp_(pooled), audio_norm_, eps, /*weight_offset=*/false);
  x = x + time_codes(n_tokens, first, x.size(0));
  x = rms_norm(x, token_norm_, eps, /*weight_offset=*/false);
  tap_into(tap, "audio.tokens", x);
  return x;
}

}  // namespace vidi
