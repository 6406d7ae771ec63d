// What a window needs of the device, and how it is encoded within a memory limit: with the towers
// on the device or away, in large pieces or small ones. Plain arithmetic in bytes. Torch-free.
//
// Encoding needs, beside the weights: the window's keys and values, and the workspace of a piece of
// the decoder's stream. The towers' weights serve neither, so they may leave meanwhile (offload.h).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "model/checkpoint/config.h"
#include "model/options.h"

namespace vidi {

// Media tokens that go through the layers together where memory is no matter: enough to fill a GPU,
// few enough to bound the workspace.
constexpr int64_t kStreamTokens = 8192;
// And at least: below that the weights' way from the device's memory takes longer than the
// arithmetic, and other workspaces are larger than the stream's.
constexpr int64_t kSmallestPiece = 512;
// With the towers in, pieces go down to this only: 2,048 rows cost the products a few percent,
// which is less than the towers' way there and back (2.1 GB at 55 GB/s: 38 ms of a window of 60 s,
// which takes 390).
constexpr int64_t kSmallestPieceWithTowers = 2048;
// Layers on the device at a time of those that wait in the host's memory (layer_spill.h).
constexpr int64_t kSpillPlaces = 2;

std::string bytes_text(int64_t bytes);  // "23.40 GB", "512.00 MB"

// Workspace of the decoder's stream for a piece of so many tokens.
int64_t stream_bytes(const DecoderConfig& config, int64_t n_tokens, int64_t element_size);
// One question that is answered: its text's keys and values and its logits. `prompt`: tokens.
int64_t question_bytes(const DecoderConfig& config, int64_t prompt, int64_t element_size);

// The device at one moment.
struct MemoryState {
  int64_t limit = 0;            // 0 = none
  bool limit_was_asked = true;  // else it is what was free
  int64_t held = 0;             // all that is there, what is cached and unused left out
  int64_t towers = 0;           // weights of the towers, wherever they are
  bool towers_in = true;        // they are on the device: part of `held`
  int64_t windows = 0;          // part of `held`: keys and values of windows encoded before
  int64_t spare = 0;            // to leave alone, for what is not reckoned
  bool can_halve = false;       // float32 where half precision runs
};

// Pictures of a window that are still to be looked at. With the towers on the device they are
// looked at a piece at a time, and their features go as they are streamed, but for those that later
// windows need. Without them all of it comes before.
struct LookNeed {
  int64_t n_unseen = 0, n_shared = 0;  // shared: of them, those that later windows need
  int64_t frame_bytes = 0;             // of a picture's features
  int64_t frame_tokens = 1;            // that become of it
  int64_t towers = 0;                  // workspace
};

// A window that is to be encoded.
struct WindowNeed {
  int64_t n_tokens = 0;  // that go through the stream
  int64_t keys = 0;      // bytes of keys and values that are still to be allocated
  // Tokens of sound, and bytes of the features of each once more, joined while it is streamed.
  int64_t n_audio_tokens = 0, joined = 0;
  int64_t question = 0;  // question_bytes(), for asking it afterwards
  LookNeed look;
  DecoderConfig decoder;
  int64_t element_size = 2;
};

struct MemoryPlan {
  bool towers_leave = false;
  int64_t piece_tokens = kStreamTokens;
  bool is_usual() const { return !towers_leave && piece_tokens == kStreamTokens; }
};

// Where and how a window's keys and values are kept.
struct KeyPlace {
  KeyFormat format = KeyFormat::kNative;
  bool on_cuda = true;  // as CUDA's caching allocator takes it
  bool expands = true;  // packed ones: those of a layer, while a question is answered
};

// What a window of so many tokens needs.
WindowNeed window_need(const DecoderConfig& config, int64_t n_image_tokens, int64_t n_audio_tokens,
                       int64_t element_size, const KeyPlace& place);
// Bytes of one layer's tensors of keys and values for tokens of one modality.
std::vector<int64_t> key_tensor_bytes(const DecoderConfig& config, int64_t n_tokens,
                                      int64_t element_size, KeyFormat keys);

// What CUDA's caching allocator takes for a tensor that stays.
int64_t with_rounding(int64_t bytes);

// Features of pictures that are there at once, in pieces of so many tokens, bytes.
int64_t feature_bytes(const LookNeed& look, int64_t piece_tokens, bool towers_leave);
// What `need` takes of the device beyond what is held, in pieces of so many tokens.
int64_t bytes_needed(const WindowNeed& need, int64_t piece_tokens, bool towers_leave = false);

// The first that fits: large pieces, then smaller ones, then the same without the towers. Nothing
// when none does.
std::optional<MemoryPlan> find_plan(const MemoryState& state, const WindowNeed& need);

// The same, or an EngineError with one sentence that says what is missing and what would help:
// kOutOfMemory when it would fit once earlier windows are gone, else kOverLimit.
MemoryPlan plan_window(const MemoryState& state, const WindowNeed& need);

// The towers are to come back and to work in `workspace`. Throws as plan_window.
void check_towers_fit(const MemoryState& state, int64_t workspace);

// Before anything is loaded. Throws kOverLimit.
void check_weights_fit(int64_t limit, bool limit_was_asked, int64_t weights,
                       const std::string& precision, bool can_halve);

// What to say when the allocator found no room in spite of the plan; one sentence.
std::string ran_out_text(const MemoryState& state, const std::string& what);

// Questions that are answered together: as many as have room, at least one, at most `most`.
int64_t questions_at_once(const MemoryState& state, int64_t bytes_each, int64_t most);

}  // namespace vidi
