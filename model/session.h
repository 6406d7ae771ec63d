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
  // Room for the pictures of a window that will have `n_frames` of them, at least two: where a
  // picture lies in time is known then, and nothing else of the window matters to it. Null when the
  // device has no memory to spare for it.
  virtual Result<std::shared_ptr<PartialWindow>> begin_window(size_t n_frames) noexcept = 0;
  // Makes the keys and values of pictures first, first + 1 ... of that window.
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

  // The weights leave the device; what was made with them stays, features, partial windows and
  // encoded ones. Until load() brings them back, each call above but info() is an error that says
  // so, or why load() failed.
  virtual void unload() noexcept = 0;
  // From the checkpoint's files, with the progress of open(). Has no effect while they are there.
  virtual Result<bool> load(const Cancel& cancel) noexcept = 0;

  // Bytes of the model's device that this process holds, caches included; 0 on the CPU.
  virtual int64_t device_memory_bytes() const noexcept = 0;
  virtual void free_caches() noexcept = 0;  // gives back what is cached and not in use
};

}  // namespace vidi
