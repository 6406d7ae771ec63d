// What a model is opened with, and what it then says of itself. Torch-free.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace vidi {

// What the engine computes in. auto: fp16 on CUDA, fp32 on the CPU.
enum class Precision { kAuto, kFp32, kFp16, kBf16 };

// How the decoder's matrices are stored. int8: 8 bits of each number with a scale for 128 of a row
// (kernels/layers/weight_matrix.h), made while loading; a matrix whose shape does not allow it
// stays native. Towers, projectors and norms are native always. auto: native, if the memory has
// room for that and the longest window (device/model_plan.h).
enum class WeightFormat { kAuto, kNative, kInt8 };

// How a window's keys and values are stored. int8: 8 bits of each number with a scale for each
// token and head (kernels/attention/key_matrix.h); with a head size that is no power of two from 16
// to 256 they stay native.
enum class KeyFormat { kAuto, kNative, kInt8 };

struct OpenOptions {
  std::string folder;  // checkpoint, Hugging Face layout
  std::string device =
      "auto";  // "auto", "cpu", "cuda", "cuda:1"; auto = first CUDA device that works, else CPU
  // `device` is a list with commas, none of it "auto", and each window is split over its devices:
  // the model is on every one of them, questions are read on the first. Without, it is one device.
  bool split_windows = false;
  Precision precision = Precision::kAuto;
  WeightFormat weights = WeightFormat::kNative;
  KeyFormat keys = KeyFormat::kNative;
  // The longest window there will be, for kAuto: seconds of sound, and pictures; 0 = not known,
  // then it is planned for five minutes with a picture a second.
  double window_seconds = 0;
  int64_t window_frames = 0;
  int64_t window_shared_frames = 0;  // of them, that the next window has as well
  // Bytes that the process's allocator may hold on the model's device, on each of several (the CUDA
  // context apart), and what the plans for each window keep to; on the CPU weights, keys, values
  // and an estimate of the workspace are counted. 0 = no limit. Of several limits on one CUDA
  // device the smallest holds for all models there together.
  uint64_t memory_limit = 0;
  std::function<void(double)> progress;  // fraction loaded, 0..1, on the calling thread
};

struct ModelInfo {
  std::string device;     // "cpu", "cuda:0"; "cuda:0,cuda:1" where these share the windows
  std::string precision;  // "fp32", ...
  std::string weights;    // "native", "int8"
  std::string keys;       // likewise
  std::string plan;       // why kAuto did not take native ones; else empty
  std::string family;     // "vidi1.5", "vidi-7b"
  int64_t weight_bytes = 0;
  double load_seconds = 0;
  bool has_highlight_prompt =
      false;               // the checkpoint brings its own sentence for the task "highlight"
  std::string why_no_gpu;  // device auto took the CPU: why; else empty
  std::vector<std::string> unused_tensors;  // in the checkpoint, and nothing here needs them
  // On CUDA in half precision: why the engine's own kernels do not run; else empty.
  std::string why_no_kernels = {};
  // Pictures whose features have room at once; 0 = any number.
  int64_t most_features = 0;
};

}  // namespace vidi
