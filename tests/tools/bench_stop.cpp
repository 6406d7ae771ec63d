// How long a stop takes, at worst, on the CPU: in every part of the engine's work on one layer of
// the 9B's width, the longest stretch between two looks at whether the work is still wanted.
//
//   bench-stop [--tokens 8192]
#include <c10/core/InferenceMode.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <string>
#include <vector>

#include "kernels/interruption.h"
#include "model/session/vidi_session.h"
#include "tests/tools/geometry.h"
#include "tests/tools/tool_options.h"

namespace vidi {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point then) {
  return std::chrono::duration<double>(Clock::now() - then).count();
}

void measure(const char* name, const std::function<void()>& work) {
  double longest = 0;
  int looks = 0, where = 0;
  const auto start = Clock::now();
  auto last = start;
  auto look = [&] {
    if (seconds_since(last) > longest) longest = seconds_since(last), where = looks;
    last = Clock::now();
    ++looks;
  };
  {
    const Interruptible interruptible(look);
    work();
  }
  look();
  std::printf("%-40s %8.2f s %8d looks %8.3f s at most between two, after look %d\n", name,
              seconds_since(start), looks, longest, where);
}

void run(int n_tokens) {
  c10::InferenceMode inference;
  const CheckpointGeometry geometry = checkpoint_geometry("one-layer");
  OpenOptions options;
  options.device = "cpu";
  std::unique_ptr<VidiSession> session;
  session = VidiSession::random(config_of(geometry), shapes_of(geometry), options, 1);
  const int side = session->model().config().vision.image_size;
  const std::vector<uint8_t> grey(static_cast<size_t>(side) * side * 3, 128);
  Window window;
  window.duration_s = 2;
  window.frames = *session->encode_images(
      std::vector<Frame>(2, {grey.data(), side, side, static_cast<size_t>(side) * 3}), Cancel());
  const auto encoded = *session->encode(window, Cancel());

  const at::Tensor tokens = at::zeros({n_tokens, session->model().config().decoder.hidden});
  const MediaCache cache = session->model().decoder().make_media_cache(n_tokens, 0);
  measure("pictures' tokens through the layer", [&] {
    session->model().decoder().prefill_media(tokens, Modality::kImage, 0, cache, Cancel(),
                                             n_tokens);
  });
  AskOptions one_token;
  one_token.max_new_tokens = 1;
  for (const int n : {1, 32}) {
    std::vector<std::vector<int>> prompts;  // that begin differently: what is common is read once
    for (int i = 0; i < n; ++i) prompts.emplace_back(n_tokens / n, 5 + i);
    const std::string name =
        std::to_string(n) + " question(s) of " + std::to_string(n_tokens / n) + " tokens";
    measure(name.c_str(), [&] { session->ask_ids(*encoded, prompts, one_token, Cancel()); });
  }
}

}  // namespace
}  // namespace vidi

int main(int argc, char** argv) {
  constexpr char kUsage[] = "bench-stop [--tokens 32..8192]\n";
  vidi::ToolOptions options = {{"--tokens", "8192"}};
  vidi::read_options(argc, argv, kUsage, options);
  const int n_tokens = std::atoi(options["--tokens"].c_str());
  if (n_tokens < 32 || n_tokens > 8192)
    vidi::refuse_options(kUsage, "expected --tokens from 32 to 8192");
  vidi::run(n_tokens);
  return 0;
}
