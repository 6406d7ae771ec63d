// vidi-watch URI QUERY...: says when something is seen or heard in a live stream (watcher.h).
#include <gst/gst.h>

#include <clocale>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "examples/common/output.h"
#include "examples/common/places.h"
#include "examples/common/standard_streams.h"
#include "examples/watch/watch_arguments.h"
#include "examples/watch/watcher.h"

int main(int argc, char** argv) {
  open_standard_streams();
  expect_lost_outputs();
  std::setlocale(LC_ALL, "");
  // The model's threads on the CPU wait asleep: spinning, they take the decoder's share of it.
  setenv("OMP_WAIT_POLICY", "passive", 0);
  const auto arguments = parse_watch_arguments(argc, argv);
  if (!arguments) return kUsage;
  gst_init(nullptr, nullptr);
  std::string wrong = make_element_known();
  const std::string model = arguments->model.empty() ? demo_checkpoint() : arguments->model;
  if (wrong.empty() && model.empty())
    wrong = "the demo model is not there; --model names the folder of another";
  if (!wrong.empty()) {
    say(wrong);
    return kFailed;
  }
  const int status = Watcher(*arguments, model).run();
  if (status == kReaderLeft) end_without_reader();
  // All is written and freed, but for what hangs.
  std::fflush(nullptr);
  std::quick_exit(status);
}
