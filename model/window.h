// The plain structs that travel through the API: pictures and samples in, answers out. Torch-free.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "model/result.h"

namespace vidi {

// One RGB picture in the caller's memory, only read during the call. Any size; the engine resizes
// it as the model wants.
struct Frame {
  const uint8_t* rgb = nullptr;
  int width = 0, height = 0;
  size_t stride = 0;  // bytes from row to row
};

// What the engine keeps of one frame or of one stretch of sound. It depends on neither the window
// nor the question, so overlapping windows share it. Owned by whoever holds the pointer; made and
// used with one Session.
class FrameFeatures {
 public:
  virtual ~FrameFeatures() = default;
};
class AudioFeatures {
 public:
  virtual ~AudioFeatures() = default;
  virtual int n_samples() const = 0;
};

using FrameList = std::vector<std::shared_ptr<const FrameFeatures>>;

// Pictures that are best looked at in one call; the plans of memory reckon with no more.
inline constexpr size_t kPicturesAtOnce = 16;

// A window that is complete, before its pictures are looked at, or some of them.
struct WindowSize {
  size_t n_frames = 0;    // none, or two at least
  size_t n_unseen = 0;    // of them, whose features are still to be made
  size_t n_shared = 0;    // of these, whose features stay: later windows need them
  int64_t n_samples = 0;  // of sound
};

// Keys and values of a window's pictures, made one piece of it after the other. It holds none of
// their features. Owned by whoever holds the pointer; made and used with one Session.
class PartialWindow {
 public:
  virtual ~PartialWindow() = default;
  virtual size_t n_frames() const = 0;          // of the window that it is for
  virtual size_t frames_per_piece() const = 0;  // that go through the decoder together
};

// A window of the stream: at least two frames, or none; every stretch of sound but the last is
// kChunkSamples long.
struct Window {
  FrameList frames;  // null: `partial` has what is needed of that picture
  std::vector<std::shared_ptr<const AudioFeatures>> audio;
  double duration_s = 0;                   // what fractions of the answers are fractions of
  std::shared_ptr<PartialWindow> partial;  // or null; encode() takes what it holds
};

// A window as the model sees it: keys and values of every layer. Serves any number of questions.
class Encoded {
 public:
  virtual ~Encoded() = default;
  virtual bool has_frames() const = 0;
  virtual bool has_audio() const = 0;
  virtual int64_t n_tokens() const = 0;  // media tokens, pictures and sound
  virtual double duration_s() const = 0;
};

struct Query {
  std::string text;
  std::string task = "retrieval";
  std::string prompt_template;  // "" = the checkpoint's or the family's own
};

struct AskOptions {
  int max_new_tokens = 1024;
  bool stop_repetition = true;  // end an answer that repeats itself word for word
};

enum class StopReason { kEndToken, kMaxTokens, kRepetition };

// One found range. confidence = geometric mean of the probabilities of the range's tokens, in (0,
// 1].
struct Span {
  double relative_start = 0, relative_stop = 0;  // fractions of the window
  double start_s = 0, stop_s = 0;                // seconds from the window's start
  double confidence = 0;
  std::string label;
};

// One range of an answer, as fractions of the window, 0 <= start <= stop <= 1.
struct AnswerRange {
  double start = 0, stop = 0;
  std::string label;  // text that follows a range of a highlight answer, else ""
  size_t text_begin = 0,
         text_end = 0;  // bytes of the answer that this range was read from (joined: of all)
};

// An answer as the product reads it (text/answer.h).
struct ParsedAnswer {
  std::vector<AnswerRange> ranges;  // sorted by start; those of one label do not overlap
  bool says_none = false;  // the answer is "none" (or empty): nothing found, and that is clear
  bool understood = true;  // false: no range and not "none"
  std::vector<std::string> notes;  // one sentence for each change or drop, e.g. "swapped 0.9-0.1"
};
struct Answer {
  std::string text;  // valid UTF-8, special tokens left out
  std::vector<Span> spans;
  ParsedAnswer parsed;  // with what the reading changed or dropped
  std::vector<int> ids;
  std::vector<float> probabilities;  // of each id, when it was picked
  StopReason stop = StopReason::kEndToken;
};

}  // namespace vidi
