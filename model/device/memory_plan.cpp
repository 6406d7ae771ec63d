#include "model/device/memory_plan.h"

#include <algorithm>
#include <cstdio>

#include "model/result.h"
#include "model/window.h"

namespace vidi {

std::string bytes_text(int64_t bytes) {
  char text[32];
  const bool small = bytes < 1'000'000'000;
  std::snprintf(text, sizeof text, "%.2f %s", bytes / (small ? 1e6 : 1e9), small ? "MB" : "GB");
  return text;
}

namespace {

// Blocks of an allocator that are too small for what is wanted next lie between those in use. A
// quarter of the workspace is our allowance for it.
int64_t with_gaps(int64_t bytes) { return bytes + bytes / 4; }

constexpr int64_t kUsualPrompt = 64;  // tokens, not known when a window is encoded

std::string allowed_text(int64_t limit, bool was_asked) {
  return was_asked ? "memory-limit allows " + bytes_text(limit)
                   : bytes_text(limit) + " are free of the device";
}

std::string missing_text(int64_t needed, int64_t limit, bool was_asked) {
  return allowed_text(limit, was_asked) + ", " + bytes_text(needed - limit) + " are missing";
}

std::string more_memory(bool limit_was_asked) {
  return limit_was_asked ? "a larger memory-limit" : "more free memory";
}

std::string help_text(const MemoryState& state) {
  return std::string("a shorter window-duration, a lower frame-rate, ") +
         (state.can_halve ? "fp16 instead of fp32, " : "") + "or " +
         more_memory(state.limit_was_asked) + " would help";
}

int64_t held_without_towers(const MemoryState& state) {
  return state.held - (state.towers_in ? state.towers : 0);
}

// `least`: all that must be on the device at once.
[[noreturn]] void refuse(const MemoryState& state, int64_t least, const std::string& what) {
  std::string text = what + " needs " + bytes_text(least);
  const bool fits_alone = state.windows > 0 && least - state.windows <= state.limit;
  if (fits_alone) {
    text += " with the " + bytes_text(state.windows) + " of windows that were encoded before";
  }
  // What is free may be more when the next window comes; a limit that was asked for stays.
  const bool may_fit = fits_alone || !state.limit_was_asked;
  throw EngineError(may_fit ? ErrorCode::kOutOfMemory : ErrorCode::kOverLimit,
                    text + ", " + missing_text(least, state.limit, state.limit_was_asked) + ": " +
                        help_text(state));
}

}  // namespace

// Up to 1 MiB it is one of many in a segment of 2 MiB; up to 10 MiB one of a few in a segment of 20
// MiB, whose rest is of no use to tensors of the same size; larger ones have a segment of their
// own, rounded up to 2 MiB.
int64_t with_rounding(int64_t bytes) {
  constexpr int64_t kMiB = int64_t{1} << 20, kShared = 20 * kMiB;
  if (bytes <= kMiB) return (bytes + 511) / 512 * 512;
  if (bytes <= 10 * kMiB) return kShared / (kShared / bytes);
  return (bytes + 2 * kMiB - 1) / (2 * kMiB) * (2 * kMiB);
}

// At its peak, between the two products of a layer's feed-forward, these are alive, in rows of H
// (hidden) and I (intermediate): the projected tokens and their scaled copy (2 H), the layer's
// input and its norm (2 H), the attention's result (H), the sum with it and its norm (2 H), gate
// and up (2 I), their product (I), and the second product's result (H): 8 H + 3 I. Of Vidi1.5-9B
// (3584 and 14336) in 2 bytes that is 143,360 bytes a token: 1.17 GB for 8,192 tokens, 0.29 for
// 2,048, 0.15 for 1,024. Making a piece's sound tokens takes less: the pooled rows, two layers with
// what is between them, their norm and the sum with the position code (6 H), beside the code itself
// in float32 (4 H), 100,352 bytes a token.
//
// What else comes in turn is smaller than that from 512 tokens on: the folded output projection (4
// + 2 bytes * H * 2,048 values, 44 MB), a position MLP's weights in float32 (4 H^2, 51 MB), the
// projector's own rows (729 / 196 * 1152 features a token twice, and 3 H).
int64_t stream_bytes(const DecoderConfig& config, int64_t n_tokens, int64_t element_size) {
  return std::max(n_tokens, kSmallestPiece) * element_size *
         (8 * int64_t{config.hidden} + 3 * int64_t{config.mlp});
}

// Keys and values of all layers for the prompt and its answer: room for 64 tokens more than the
// prompt, doubled once when the answer is longer than that (Decoder::reserve). Logits of at most 8
// tokens a pass, as they come, divided, and in float32.
int64_t question_bytes(const DecoderConfig& config, int64_t prompt, int64_t element_size) {
  const int64_t slot =
      2 * int64_t{config.layers} * config.kv_heads * config.head_dim * element_size;
  return 2 * (prompt + 64) * slot + 8 * int64_t{config.vocab} * (2 * element_size + 4);
}

std::vector<int64_t> key_tensor_bytes(const DecoderConfig& config, int64_t n_tokens,
                                      int64_t element_size, KeyFormat keys) {
  const int64_t heads = n_tokens * config.kv_heads;
  if (keys == KeyFormat::kNative)
    return std::vector<int64_t>(2, heads * config.head_dim * element_size);
  constexpr int64_t kTogether = 8;  // KeyMatrix::kScalesTogether
  const int64_t numbers = heads * config.head_dim;
  const int64_t scales =
      (n_tokens + kTogether - 1) / kTogether * kTogether * config.kv_heads * element_size;
  return {numbers, scales, numbers, scales};
}

WindowNeed window_need(const DecoderConfig& config, int64_t n_image_tokens, int64_t n_audio_tokens,
                       int64_t element_size, const KeyPlace& place) {
  WindowNeed need;
  need.decoder = config, need.element_size = element_size;
  need.n_tokens = n_image_tokens + n_audio_tokens, need.n_audio_tokens = n_audio_tokens;
  for (const int64_t n : {n_image_tokens, n_audio_tokens}) {
    for (const int64_t bytes : key_tensor_bytes(config, n, element_size, place.format))
      need.keys += config.layers * (place.on_cuda ? with_rounding(bytes) : bytes);
  }
  need.question = question_bytes(config, kUsualPrompt, element_size);
  if (place.format == KeyFormat::kInt8 && place.expands)
    need.question += 2 * need.n_tokens * config.kv_heads * config.head_dim * element_size;
  return need;
}

// They are looked at some in a call, so the last ones of a call may belong to the next piece.
int64_t feature_bytes(const LookNeed& look, int64_t piece_tokens, bool towers_leave) {
  constexpr auto kAtOnce = static_cast<int64_t>(kPicturesAtOnce);
  const int64_t piece = std::max<int64_t>(1, piece_tokens / look.frame_tokens);
  const int64_t some = std::min(look.n_unseen, piece + kAtOnce - 1 + look.n_shared);
  return look.frame_bytes * (towers_leave ? look.n_unseen : some);
}

// The towers' workspace is another one than the stream's: what the allocator keeps of the one is of
// no use to the other, so both count. Where the towers leave, theirs has gone with them.
int64_t bytes_needed(const WindowNeed& need, int64_t piece_tokens, bool towers_leave) {
  const int64_t rows = std::min(piece_tokens, std::max<int64_t>(need.n_tokens, 1));
  const int64_t joined = need.joined * std::min(piece_tokens, need.n_audio_tokens);
  const int64_t stream = stream_bytes(need.decoder, rows, need.element_size) + joined;
  const int64_t looking = need.look.n_unseen > 0 && !towers_leave ? need.look.towers : 0;
  return need.keys + with_gaps(std::max(stream, need.question)) + looking +
         feature_bytes(need.look, piece_tokens, towers_leave);
}

std::optional<MemoryPlan> find_plan(const MemoryState& state, const WindowNeed& need) {
  if (state.limit == 0) return MemoryPlan();
  const int64_t room = state.limit - state.spare - held_without_towers(state);
  for (const bool leave : {false, true}) {
    if (!leave && !state.towers_in) continue;  // there is no need to fetch them now
    const int64_t smallest = leave ? kSmallestPiece : kSmallestPieceWithTowers;
    for (int64_t piece = kStreamTokens; piece >= smallest; piece /= 2) {
      if (bytes_needed(need, piece, leave) + (leave ? 0 : state.towers) <= room)
        return MemoryPlan{leave && state.towers_in, piece};
    }
  }
  return std::nullopt;
}

MemoryPlan plan_window(const MemoryState& state, const WindowNeed& need) {
  if (const auto plan = find_plan(state, need)) return *plan;
  const int64_t least =
      held_without_towers(state) + state.spare + bytes_needed(need, kSmallestPiece, true);
  refuse(state, least,
         "a window of " + std::to_string(need.n_tokens) + " tokens (" + bytes_text(need.keys) +
             " of keys and values)");
}

void check_towers_fit(const MemoryState& state, int64_t workspace) {
  if (state.limit == 0 || state.towers_in) return;
  const int64_t least = state.held + state.towers + state.spare + workspace;
  if (least > state.limit) {
    refuse(state, least, "looking and listening (" + bytes_text(state.towers) + " of towers)");
  }
}

void check_weights_fit(int64_t limit, bool limit_was_asked, int64_t weights,
                       const std::string& precision, bool can_halve) {
  if (limit == 0 || weights <= limit) return;
  throw EngineError(ErrorCode::kOverLimit,
                    "the model's weights need " + bytes_text(weights) + " in " + precision + ", " +
                        missing_text(weights, limit, limit_was_asked) + ": " +
                        (can_halve ? "fp16 instead of fp32, " : "") + "a smaller model or " +
                        more_memory(limit_was_asked) + " would help");
}

std::string ran_out_text(const MemoryState& state, const std::string& what) {
  return what + " found no room beside the " + bytes_text(state.held) + " that are in use, " +
         allowed_text(state.limit, state.limit_was_asked) + ": " + help_text(state);
}

int64_t questions_at_once(const MemoryState& state, int64_t bytes_each, int64_t most) {
  if (state.limit == 0 || bytes_each <= 0) return most;
  const int64_t room = state.limit - state.spare - state.held;
  return std::clamp<int64_t>(room / with_gaps(bytes_each), 1, most);
}

}  // namespace vidi
