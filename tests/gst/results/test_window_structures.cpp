// What is said of windows, the model and the figures.
#include <gtest/gtest.h>

#include <cmath>

#include "tests/support/fields.h"
#include "tests/support/hit_rig.h"

namespace vidi {
namespace {

using test::flag;
using test::large_number;
using test::real;
using test::small_number;
using test::text;
using test::texts;

using WindowStructures = Events;

// An analysed window lists its questions, raw answers and what the parser did to them.
TEST_F(WindowStructures, WindowWithAnswers) {
  Analysis analysis;
  analysis.window = window_;
  analysis.inference_time = 3s;
  analysis.answers.resize(2);
  analysis.answers[0].text = "0.9-0.1";
  analysis.answers[0].parsed.notes = {"swapped 0.9-0.1", "joined two"};
  analysis.answers[1].text = "what?";
  analysis.answers[1].parsed.understood = false;
  const Structure s(window_structure(*window_, &analysis, 1, GST_SECOND, nullptr));
  EXPECT_STREQ(gst_structure_get_name(s.get()), "vidi/window");
  EXPECT_EQ(small_number(s.get(), "schema-version"), 1u);
  EXPECT_EQ(text(s.get(), "session-id"), "session-7");
  EXPECT_EQ(large_number(s.get(), "window-index"), 4u);
  EXPECT_EQ(large_number(s.get(), "window-start"), 60 * GST_SECOND);
  EXPECT_EQ(large_number(s.get(), "window-stop"), 120 * GST_SECOND);
  EXPECT_EQ(small_number(s.get(), "results"), 1u);
  EXPECT_EQ(small_number(s.get(), "frames"), 2u);
  EXPECT_EQ(large_number(s.get(), "dropped-frames"), 3u);
  EXPECT_FALSE(flag(s.get(), "partial-window"));
  EXPECT_FALSE(flag(s.get(), "has-audio"));
  EXPECT_FALSE(flag(s.get(), "small-steps"));
  EXPECT_EQ(large_number(s.get(), "inference-time"), 3 * GST_SECOND);
  EXPECT_EQ(large_number(s.get(), "delay"), GST_SECOND);
  EXPECT_EQ(texts(s.get(), "queries"), (std::vector<std::string>{"a dog", "a cat"}));
  EXPECT_EQ(texts(s.get(), "query-ids").size(), 2u);
  EXPECT_EQ(texts(s.get(), "texts"), (std::vector<std::string>{"0.9-0.1", "what?"}));
  EXPECT_EQ(texts(s.get(), "notes"),
            (std::vector<std::string>{"a dog: swapped 0.9-0.1", "a dog: joined two",
                                      "a cat: the answer was not understood"}));
  EXPECT_FALSE(has(s, "error"));
}

// Behind a gate a window says whether it was passed by, and how like the last analysed one it is;
// one that was passed by has no answers.
TEST_F(WindowStructures, WindowBehindAGate) {
  Analysis analysis;
  analysis.window = window_;
  analysis.answers.resize(2);
  analysis.gate = GateReading{true, 0.25};
  const Structure open(window_structure(*window_, &analysis, 0, GST_SECOND, nullptr));
  EXPECT_FALSE(flag(open.get(), "gated"));
  EXPECT_EQ(real(open.get(), "similarity"), 0.25);
  const Structure closed(gated_structure(*window_, {false, 0.75}, GST_SECOND));
  EXPECT_STREQ(gst_structure_get_name(closed.get()), "vidi/window");
  EXPECT_TRUE(flag(closed.get(), "gated"));
  EXPECT_EQ(real(closed.get(), "similarity"), 0.75);
  EXPECT_EQ(large_number(closed.get(), "window-start"), 60 * GST_SECOND);
  EXPECT_EQ(large_number(closed.get(), "delay"), GST_SECOND);
  EXPECT_EQ(small_number(closed.get(), "results"), 0u);
  EXPECT_EQ(texts(closed.get(), "query-ids").size(), 2u);
  for (const char* field : {"texts", "notes", "inference-time", "small-steps", "error"})
    EXPECT_FALSE(has(closed, field)) << field;
  const Structure standing(gated_structure(*window_, {false, std::nullopt}, GST_SECOND));
  EXPECT_FALSE(has(standing, "similarity"));
}

// A failed window says why, and has neither answers nor an inference time.
TEST_F(WindowStructures, WindowThatFailed) {
  window_->plan = nullptr;
  const Structure s(window_structure(*window_, nullptr, 0, GST_CLOCK_TIME_NONE, "no \xff memory"));
  EXPECT_EQ(text(s.get(), "error"), "no \xef\xbf\xbd memory");
  EXPECT_EQ(small_number(s.get(), "results"), 0u);
  for (const char* field : {"texts", "notes", "inference-time", "delay"})
    EXPECT_FALSE(has(s, field)) << field;
}

// A dropped window tells which one, why, and how many there were.
TEST_F(WindowStructures, WindowDropped) {
  Counters counters;
  counters.dropped = {2, 1, 1, 0, 1, 0};
  counters.windows_submitted = 9;
  const Structure s(dropped_structure(*window_, DropReason::kOverload, "", counters));
  EXPECT_EQ(json_line(s.get()),
            R"({"type":"window-dropped","schema_version":1,"session_id":"session-7",)"
            R"("window_index":4,"window_start":60000000000,"window_stop":120000000000,)"
            R"("reason":"overload","frames":2,"windows_dropped":5,"windows_submitted":9})"
            "\n");
}

// The model's structure tells its state, and where it runs once that is known.
TEST_F(WindowStructures, Model) {
  ModelInfo info;
  info.device = "cuda:0";
  info.precision = "fp16";
  info.family = "vidi1.5";
  info.weight_bytes = 20'000'000'000;
  info.load_seconds = 1.5;
  const Structure ready(
      model_structure(ModelState::kReady, "s", "/models/v", &info, 21'000'000'000, nullptr));
  EXPECT_EQ(json_line(ready.get()),
            R"({"type":"model","schema_version":1,"session_id":"s","state":"ready",)"
            R"("model_path":"/models/v","device":"cuda:0","precision":"fp16","family":"vidi1.5",)"
            R"("weight_bytes":20000000000,"device_memory":21000000000,"load_time":1500000000})"
            "\n");
  const Structure failed(
      model_structure(ModelState::kFailed, "s", "/models/v", nullptr, 0, "no such folder"));
  EXPECT_EQ(json_line(failed.get()),
            R"({"type":"model","schema_version":1,"session_id":"s","state":"failed",)"
            R"("model_path":"/models/v","error":"no such folder"})"
            "\n");
  for (auto [state, nick] :
       {std::pair{ModelState::kUnloaded, "unloaded"}, std::pair{ModelState::kLoading, "loading"}})
    EXPECT_EQ(text(Structure(model_structure(state, "", "", nullptr, 0, nullptr)).get(), "state"),
              nick);
}

// Where the CPU was taken for want of a GPU, the model and `stats` say why; so they do where a
// smaller form was.
TEST_F(WindowStructures, WhyNoGpu) {
  ModelInfo info;
  info.device = "cpu", info.why_no_gpu = "there is no CUDA device";
  const Structure model(model_structure(ModelState::kReady, "s", "m", &info, 0, nullptr));
  EXPECT_EQ(text(model.get(), "why-no-gpu"), "there is no CUDA device");
  Counters counters;
  EXPECT_FALSE(has(Structure(stats_structure(counters)), "device"));
  counters.device = "cpu", counters.why_no_gpu = info.why_no_gpu;
  const Structure stats(stats_structure(counters));
  EXPECT_EQ(text(stats.get(), "device"), "cpu");
  EXPECT_EQ(text(stats.get(), "why-no-gpu"), "there is no CUDA device");
  EXPECT_FALSE(has(stats, "plan"));
  counters.plan = "int8 keys: 3.1 GB were missing";
  EXPECT_EQ(text(Structure(stats_structure(counters)).get(), "plan"), counters.plan);
}

// Where a GPU does without the engine's own kernels, the model says why.
TEST_F(WindowStructures, WhyNoKernels) {
  ModelInfo info;
  info.device = "cuda:0";
  const Structure without(model_structure(ModelState::kReady, "s", "m", &info, 0, nullptr));
  EXPECT_FALSE(has(without, "why-no-kernels"));
  info.why_no_kernels = "this build has none";
  const Structure model(model_structure(ModelState::kReady, "s", "m", &info, 0, nullptr));
  EXPECT_EQ(text(model.get(), "why-no-kernels"), "this build has none");
}

// A load time that is no number does no harm.
TEST_F(WindowStructures, ModelWithAbsurdLoadTime) {
  for (double seconds : {std::nan(""), HUGE_VAL, -1.0, 1e300}) {
    ModelInfo info;
    info.load_seconds = seconds;
    const Structure s(model_structure(ModelState::kReady, "s", "p", &info, -5, nullptr));
    EXPECT_FALSE(has(s, "load-time")) << seconds;
    EXPECT_EQ(large_number(s.get(), "device-memory"), 0u);
  }
}

// Statistics have no times while nothing is completed, and averages afterwards.
TEST_F(WindowStructures, Stats) {
  Counters counters;
  const Structure empty(stats_structure(counters));
  EXPECT_EQ(large_number(empty.get(), "windows-completed"), 0u);
  for (const char* field : {"inference-time-last", "inference-time-avg", "inference-time-max",
                            "delay-last", "delay-avg", "delay-max", "realtime-factor"})
    EXPECT_FALSE(has(empty, field)) << field;
  counters.windows_completed = 4;
  counters.windows_gated = 9;
  counters.inference_sum = 8s;
  counters.inference_last = 1s;
  counters.inference_max = 5s;
  counters.delay_sum = 12s;
  counters.delay_last = 2s;
  counters.delay_max = 6s;
  counters.analysed = 120s;
  counters.device_bytes = 77;
  const Structure s(stats_structure(counters));
  EXPECT_STREQ(gst_structure_get_name(s.get()), "vidi/stats");
  EXPECT_EQ(large_number(s.get(), "inference-time-avg"), 2 * GST_SECOND);
  EXPECT_EQ(large_number(s.get(), "inference-time-last"), 1 * GST_SECOND);
  EXPECT_EQ(large_number(s.get(), "inference-time-max"), 5 * GST_SECOND);
  EXPECT_EQ(large_number(s.get(), "delay-avg"), 3 * GST_SECOND);
  EXPECT_EQ(large_number(s.get(), "delay-last"), 2 * GST_SECOND);
  EXPECT_EQ(large_number(s.get(), "delay-max"), 6 * GST_SECOND);
  EXPECT_EQ(real(s.get(), "realtime-factor"), 15);
  EXPECT_EQ(large_number(s.get(), "gpu-memory"), 77u);
  EXPECT_EQ(large_number(s.get(), "windows-gated"), 9u);
}

}  // namespace
}  // namespace vidi
