// Another program on the GPU: takes all of its free memory but so many bytes, says so, and holds it
// until its input ends.   device-memory-holder LEFT_BYTES
#include <ATen/DeviceAccelerator.h>
#include <ATen/Functions.h>
#include <c10/core/InferenceMode.h>
#include <c10/util/Exception.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <vector>

int main(int argc, char** argv) {
  const int64_t left = argc == 2 ? std::atoll(argv[1]) : 0;
  const auto options = at::TensorOptions(at::kByte).device(at::kCUDA);
  std::vector<at::Tensor> held{at::zeros({1}, options)};  // the first makes the context
  // The allocator asks the driver for these as they are.
  for (int64_t piece = int64_t{1} << 30; piece >= int64_t{2} << 20; piece /= 2) {
    while (static_cast<int64_t>(at::accelerator::getMemoryInfo(0).first) - left > piece) {
      try {
        held.push_back(at::empty({piece}, options));
      } catch (const c10::Error&) {
        break;
      }
    }
  }
  std::printf("held\n");
  std::fflush(stdout);
  while (std::getchar() != EOF) {
  }
  return 0;
}
