// Work that is recorded while other threads use the same GPU.
#include <gtest/gtest.h>

#include <functional>
#include <thread>

#include "model/decoder/cuda_graph.h"
#include "model/device/device.h"
#include "tests/support/aten.h"

namespace vidi {
namespace {

class CudaGraphTest : public testing::Test {
 protected:
  void SetUp() override {
    if (!at::hasCUDA()) GTEST_SKIP() << "needs a CUDA device";
    number = at::zeros({1}, gpu);
  }
  // Counts up by one, and makes a tensor for itself.
  void count_up(CudaGraph& graph, const std::function<void()>& meanwhile) {
    graph.run(
        [&] {
          number.add_(at::ones({1 << 20}, gpu).mean());
          ++n_launched;
          if (meanwhile) std::thread(meanwhile).join();
        },
        false);
  }

  const at::TensorOptions gpu = at::TensorOptions(at::Device(at::kCUDA, 0)).dtype(at::kFloat);
  at::Tensor number;
  int n_launched = 0;
};

// Other threads that wait for their own work on the device spoil no recording.
TEST_F(CudaGraphTest, OthersMayWait) {
  CudaGraph graph(gpu.device());
  for (int i = 1; i <= 4; ++i) {
    count_up(graph, [&] { EXPECT_NO_THROW(synchronize(gpu.device())); });
    EXPECT_EQ(number.item<float>(), static_cast<float>(i));
  }
  EXPECT_EQ(n_launched, 2);  // plain, recorded
}

// A recording that the application spoils, by waiting for the whole device, costs neither a result
// nor memory, and it may go on doing so.
TEST_F(CudaGraphTest, ASpoiledRecordingIsAPlainRun) {
  free_device_cache(gpu.device());
  const int64_t held = memory_use(gpu.device()).held;
  int n_spoilt = 0;
  {
    CudaGraph graph(gpu.device());
    for (int i = 1; i <= 8; ++i) {
      count_up(graph, [&] {
        try {
          at::accelerator::synchronizeDevice(0);
        } catch (const c10::Error&) {
          ++n_spoilt;  // CUDA refuses that, too
        }
      });
      EXPECT_EQ(number.item<float>(), static_cast<float>(i));
    }
  }
  EXPECT_GT(n_spoilt, 0);
  free_device_cache(gpu.device());
  EXPECT_EQ(memory_use(gpu.device()).held, held);
  CudaGraph another(gpu.device());
  for (int i = 9; i <= 12; ++i) {
    count_up(another, {});
    EXPECT_EQ(number.item<float>(), static_cast<float>(i));
  }
}

// What is wrong with the work itself is its caller's to know.
TEST_F(CudaGraphTest, AnErrorOfTheWorkIsToldAndCostsNoMore) {
  CudaGraph graph(gpu.device());
  count_up(graph, {});
  EXPECT_THROW(graph.run([&] { throw std::runtime_error("no"); }, false), std::runtime_error);
  for (int i = 2; i <= 4; ++i) {
    count_up(graph, {});
    EXPECT_EQ(number.item<float>(), static_cast<float>(i));
  }
}

}  // namespace
}  // namespace vidi
