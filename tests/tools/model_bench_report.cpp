#include <cstdio>

#include "model/device/device.h"
#include "tests/tools/model_bench.h"

namespace vidi {

void Bench::print() const {
  const ModelInfo info = session_->info();
  std::printf("%s, %s on %s, %d s, %d question(s)\n",
              a_.open.folder.empty() ? a_.geometry.c_str() : info.family.c_str(),
              info.precision.c_str(), info.device.c_str(), a_.seconds, a_.queries);
  const int decimals = device_.is_cuda() ? 1 : 4;
  std::printf("plain product %.*f TFLOP/s, plain copy %.0f GB/s", decimals, product_tflops_,
              copy_gbs_);
  if (pinned_gbs_ > 0) std::printf(", from pinned memory %.1f GB/s", pinned_gbs_);
  std::printf("\n");
  std::printf("%-34s %12s %12s %10s %10s %8s\n", "phase", "ms", "core ms", "TFLOP/s", "GB/s",
              "share");
  for (const Phase& p : phases_) {
    std::printf("%-34s %12.2f %12.2f", p.name.c_str(), p.seconds * 1e3, p.core_seconds * 1e3);
    if (p.tflop > 0) {
      const double speed = p.tflop / p.seconds;
      std::printf(" %10.*f %10s %7.1f%%\n", decimals, speed, "", 100 * speed / product_tflops_);
    } else if (p.gigabytes > 0) {
      const double speed = p.gigabytes / p.seconds;
      std::printf(" %10s %10.1f %7.1f%%\n", "", speed, 100 * speed / copy_gbs_);
    } else {
      std::printf("\n");
    }
  }
  std::printf("weights %.2f GB, keys and values of %lld tokens, peak device memory %.2f GB\n",
              info.weight_bytes / 1e9, static_cast<long long>(encoded_->n_tokens()),
              memory_use(device_).peak / 1e9);
  if (a_.open.memory_limit > 0) print_limit();
}

void Bench::print_limit() const {
  const DeviceModel& model = session_->model();
  const MemoryUse used = memory_use(device_);
  std::printf("memory limit %.2f GB, at most held by the allocator %.2f GB, towers (%.2f GB) %s\n",
              a_.open.memory_limit / 1e9, used.held_peak / 1e9, model.towers().bytes() / 1e9,
              model.towers().on_device() ? "stay on the device" : "leave it for each window");
  const ModelPlan& form = model.form();
  std::printf("planned %.2f GB (held: %.1f %%): %s, %lld layers (%.2f GB) in the host's memory\n",
              form.total() / 1e9, 100.0 * used.held_peak / form.total(), form_text(form).c_str(),
              static_cast<long long>(form.spilled_layers), form.host_bytes / 1e9);
  std::printf(
      "in use and held: %.2f and %.2f GB after loading, %.2f and %.2f before the last window\n",
      loaded_.current / 1e9, loaded_.held / 1e9, heard_.current / 1e9, heard_.held / 1e9);
  if (form.spilled_layers > 0 && pinned_gbs_ > 0)
    std::printf("a copy of these layers from pinned memory: %.2f ms\n",
                form.host_bytes / 1e6 / pinned_gbs_);
}

nlohmann::json Bench::as_json() const {
  nlohmann::json rows = nlohmann::json::array();
  for (const Phase& p : phases_) {
    rows.push_back({{"phase", p.name},
                    {"seconds", p.seconds},
                    {"core_seconds", p.core_seconds},
                    {"tflop", p.tflop},
                    {"gigabytes", p.gigabytes}});
  }
  const ModelInfo info = session_->info();
  return {{"geometry", a_.geometry},
          {"device", info.device},
          {"precision", info.precision},
          {"seconds", a_.seconds},
          {"queries", a_.queries},
          {"tokens", encoded_->n_tokens()},
          {"product_tflops", product_tflops_},
          {"copy_gb_per_s", copy_gbs_},
          {"phases", rows},
          {"weight_bytes", info.weight_bytes},
          {"peak_device_bytes", memory_use(device_).peak},
          {"peak_held_bytes", memory_use(device_).held_peak},
          {"memory_limit", a_.open.memory_limit},
          {"towers_left", !session_->model().towers().on_device()}};
}

}  // namespace vidi
