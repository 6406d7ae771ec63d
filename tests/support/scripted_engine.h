// A second implementation of the API, for tests: answers, delays and failures are given by the
// test.
//
// It is a shared library (build/tests/libscripted.so) with a `vidi_engine_api` of its own. A test
// links it, and points $VIDI_ENGINE at it (VIDI_SCRIPTED_ENGINE is its path), so that plugin and
// test see one instance. No torch.
//
// In another process, to which no test can speak, it does what the environment says:
//   VIDI_SCRIPTED_ANSWER   the answer to every question, e.g. "0.20-0.60"
//   VIDI_SCRIPTED_SECONDS  how long the questions about a window take
//   VIDI_SCRIPTED_SLOW     only windows about which this question is asked take so long
//   VIDI_SCRIPTED_LOG      a file that gets a line for each time that a window is asked about
//   VIDI_SCRIPTED_CRASH    a question that ends the process with SIGSEGV
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "model/result.h"

// Declared only: what goes through the API changes more often than most tests need to know.
namespace vidi {
struct DevicePicture;
struct ModelInfo;
struct Query;
struct WindowSize;
}  // namespace vidi

namespace vidi::scripted {

enum class Step {
  kOpen,
  kEncodeImages,
  kEncodeAudio,
  kEncode,
  kAsk,
  kAppend,
  kLoad,
  kUnload,
  kPass,
  kCompare
};

// What an answer can depend on. Pictures are told apart by the colour of their middle pixel, and
// are as unlike as the channel that differs most: by 1 for all 255 of it.
struct SeenWindow {
  std::vector<uint32_t> frames;   // 0xRRGGBB of each picture's middle pixel
  std::vector<uint64_t> digests;  // of all pixels of each picture: the same for the same picture
  std::vector<float> audio;       // all samples
  double duration_s = 0;
  size_t n_prepared = 0;  // of the pictures, how many append() had been given at their place
};
using AnswerFn = std::function<std::string(const Query&, const SeenWindow&)>;

using ShrinkFn = std::function<Result<bool>(const DevicePicture&, int side, uint8_t* rgb)>;

// Everything back to: opens at once, side 32, states no frame rate (1), answers "none", fails
// nowhere, holds nothing, counts 0.
void reset();

void answer_with(AnswerFn fn);              // raw text; read by the product's own answer parser
void answer_with(const std::string& text);  // the same to every question
void set_info(const ModelInfo& info);       // what info() says from the next open on
void set_picture_side(int side);
void set_frame_rate(const Result<double>& rate);  // what the checkpoint states, or why it cannot
void shrink_with(ShrinkFn fn);  // default: kUnsupported, as of an engine without CUDA
// The next `times` calls of `step` fail with this (times < 0: all).
void fail(Step step, const Error& error, int times = 1);
void cuda_devices(int n);                    // that there are; default 0
void break_device(const std::string& name);  // all that needs the weights fails there; "": nowhere;
                                             // "no cuda:1": it cannot be opened
void confidence(double value);               // of every hit; default 0.9
void room_for_partial_windows(bool on);      // default: yes; without, begin_window() gives null
void frames_per_piece(size_t n);   // of a window's pictures; default 1000: windows are a piece
void wants_all_features(bool on);  // begin_complete_window() gives null; default: no
void passes_of_an_answer(int n);   // default 1
void most_together(int n);         // windows whose questions are answered together
void room_for_windows(int n);      // encoded ones that are alive; below 0, the default: any number
void truncate_answers(bool on);    // StopReason::kMaxTokens

// Calls of `step` block from now on, until release() or until their Cancel is raised (they look
// every millisecond, like the engine between two tokens, and then return kCancelled).
void hold(Step step);
void release(Step step);

// Blocks the test until `step` has been entered at least `n` times since reset(); false after 20 s.
bool wait_for(Step step, int n);
int count(Step step);           // entered
int n_cancelled();              // calls that ended with kCancelled
int most_pictures_in_a_call();  // of encode_images()
int most_sessions_at_work();    // at once since reset()
int n_open_sessions();          // alive now
int n_partial_windows();        // alive now
int n_encoded_windows();        // likewise
int most_encoded_windows();     // that were alive at once since reset()
int most_answered_together();   // windows in one pass, likewise
int n_features();               // pictures', alive now
int most_features();            // that were alive at once since reset()
WindowSize last_window_size();  // of the last begin_complete_window()
int n_frames_seen();   // pictures through encode_images(), to check that features are shared
int n_caches_freed();  // calls of free_caches()
std::vector<Query> queries();  // of the last ask
int max_new_tokens();          // likewise
SeenWindow last_window();      // of the last encode
double reported_progress();    // last fraction the opener reported
uint64_t memory_limit();       // of the last open

}  // namespace vidi::scripted
