// The API of the engine: open a checkpoint, look and listen, encode a window, ask about it.
// Torch-free.
//
// clang-format off
//   auto session = vidi_engine_api()->open({.folder = "Vidi1.5-9B", .device = "cuda"}, cancel);
//   auto pictures = (*session)->encode_images(frames, cancel);  // as they come; overlapping windows share them
//   auto sound = (*session)->encode_audio(samples, n, cancel);
//   auto encoded = (*session)->encode(window, cancel);         // once per window: no question yet
//   auto answers = (*session)->ask(**encoded, queries, {}, cancel);   // any number of times
// clang-format on
//
// Everything is noexcept: a failure is an Error with one sentence. One thread at a time may be
// inside a Session; Cancel is the only thing that another thread may touch meanwhile. The element
// opens this through engine_api.h; its tests bring a scripted implementation.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "model/cancel.h"
#include "model/options.h"
#include "model/result.h"
#include "model/window.h"

namespace vidi {

// Questions about any number of windows that are answered together, a pass of the model over all of
// them at a time. Made by a Session and used like it, by one thread at a time; it must go before
// the Session does.
class AnswerBatch {
 public:
  virtual ~AnswerBatch() = default;
  // The questions join with the next pass, and the window is held until they have left. Refused as
  // by Session::ask(). Returns a number for them, which no others get.
  virtual Result<uint64_t> join(std::shared_ptr<const Encoded> encoded,
                                const std::vector<Query>& queries, const AskOptions& options,
                                const Cancel& cancel) noexcept = 0;
  // Reads the prompts of those that joined, as far as there is room for them, and then another
  // token, or several, of every question. False when there is none. kOutOfMemory and kCancelled
  // change nothing: it may be called again.
  virtual Result<bool> step(const Cancel& cancel) noexcept = 0;
  // After kOutOfMemory, when nothing else could be freed: less at once from now on, some questions
  // begin anew later. Those that do not even fit alone fail with `error`.
  virtual void do_less(const Error& error) noexcept = 0;
  // Those whose questions are all answered, which have left.
  struct Answered {
    uint64_t number = 0;
    Result<std::vector<Answer>> answers;
  };
  virtual std::vector<Answered> take_answered() noexcept = 0;
  virtual void leave(uint64_t number) noexcept = 0;  // nobody wants their answers any more
  // Rows of the next pass: questions that are being answered.
  virtual size_t n_rows() const noexcept = 0;
  // Whether questions that join now are read at once.
  virtual bool has_room() const noexcept = 0;
};

class Session {
 public:
  static Result<std::unique_ptr<Session>> open(const OpenOptions& options,
                                               const Cancel& cancel) noexcept;
  virtual ~Session() = default;
  virtual ModelInfo info() const noexcept = 0;

  // Pictures to features, in order. A few at a time keeps the GPU busier than one.
  virtual Result<FrameList> encode_images(const std::vector<Frame>& frames,
                                          const Cancel& cancel) noexcept = 0;
  // At most 30 s (480000 samples) of mono 16 kHz, -1..1.
  virtual Result<std::shared_ptr<const AudioFeatures>> encode_audio(
      const float* samples, int n, const Cancel& cancel) noexcept = 0;
  // How like `reference` each of these pictures is, by their features: 1 = the same, at least -1.
  // What a change comes to depends on the weights: bench-gate (tests/tools) prints it.
  virtual Result<std::vector<double>> similarities(const FrameFeatures& reference,
                                                   const FrameList& frames) noexcept = 0;
  // Room for the pictures of a window that will have `n_frames` of them, at least two: where a
  // picture lies in time is known then, and nothing else of the window matters to it. Null when the
  // device has no memory to spare for it.
  virtual Result<std::shared_ptr<PartialWindow>> begin_window(size_t n_frames) noexcept = 0;
  // The same for a window that is complete and whose turn it is: room is made for it as by
  // encode(). Its pictures may then be looked at and appended a piece at a time, so that the
  // features of few of them exist at once. Null where all have to be looked at before encode(): it
  // has no pictures, or too little memory for it and the towers together.
  virtual Result<std::shared_ptr<PartialWindow>> begin_complete_window(
      const WindowSize& size) noexcept = 0;
  // Makes the keys and values of pictures first, first + 1 ... of that window. Of their features
  // nothing is needed afterwards.
  virtual Result<bool> append(PartialWindow& partial, size_t first, const FrameList& frames,
                              const Cancel& cancel) noexcept = 0;
  // With `window.partial` only what is missing is made: one for another number of frames
  // is of no use, pictures other than those that were appended are made again. It is empty
  // afterwards. With a memory limit: kOverLimit when the window cannot fit, kOutOfMemory when it
  // can once earlier windows are gone.
  virtual Result<std::shared_ptr<const Encoded>> encode(const Window& window,
                                                        const Cancel& cancel) noexcept = 0;
  // All questions as one batch; answers in the order of the queries.
  virtual Result<std::vector<Answer>> ask(const Encoded& encoded, const std::vector<Query>& queries,
                                          const AskOptions& options,
                                          const Cancel& cancel) noexcept = 0;

  virtual std::unique_ptr<AnswerBatch>
  begin_answers() noexcept = 0;  // null: the host has no memory

  // Whether keys and values of a window of so many pictures and samples fit beside what is held,
  // with the room that the work on them takes. `has_pictures`: those of its pictures are there, in
  // a partial window.
  virtual bool has_room(size_t n_frames, int64_t n_samples, bool has_pictures) const noexcept = 0;

  // The weights leave the device; what was made with them stays, features, partial windows and
  // encoded ones. Until load() brings them back, each call above but info() and similarities() is
  // an error that says so, or why load() failed.
  virtual void unload() noexcept = 0;
  // From the checkpoint's files, with the progress of open(). Has no effect while they are there.
  virtual Result<bool> load(const Cancel& cancel) noexcept = 0;

  // Bytes of the model's device that this process holds, caches included; 0 on the CPU.
  virtual int64_t device_memory_bytes() const noexcept = 0;
  virtual void free_caches() noexcept = 0;  // gives back what is cached and not in use
};

}  // namespace vidi
