// States: nothing is loaded early, nothing blocks, everything is freed, and it can begin again.
#include <gst/gst.h>

#include "tests/support/rig.h"

namespace vidi::test {
namespace {

using scripted::Step;

struct States : ElementTest {
  void SetUp() override {
    ElementTest::SetUp();
    EXPECT_EQ(scripted::n_open_sessions(), 0);
  }
  void TearDown() override { EXPECT_EQ(scripted::n_open_sessions(), 0) << "sessions leaked"; }
};

// The nicks that model-state has had, from its notify signal. Thread-safe.
class StateWatch {
 public:
  explicit StateWatch(Rig& rig) : bench_(rig) {
    g_signal_connect(rig.v(), "notify::model-state", G_CALLBACK(changed), this);
  }
  ~StateWatch() { g_signal_handlers_disconnect_by_data(bench_.v(), this); }
  Strings seen() const {
    std::lock_guard lock(mutex_);
    return seen_;
  }
  bool wait_for(const std::string& nick) {
    std::unique_lock lock(mutex_);
    return arrived_.wait_for(lock, std::chrono::nanoseconds(kLimit),
                             [&] { return !seen_.empty() && seen_.back() == nick; });
  }

 private:
  static void changed(GstElement*, GParamSpec*, StateWatch* self) {
    std::lock_guard lock(self->mutex_);
    self->seen_.push_back(self->bench_.model_state());
    self->arrived_.notify_all();
  }
  Rig& bench_;
  mutable std::mutex mutex_;
  std::condition_variable arrived_;
  Strings seen_;
};

std::vector<GstProgressType> progress_of(Rig& rig) {
  std::vector<GstProgressType> types;
  for (GstMessage* message : rig.messages(GST_MESSAGE_PROGRESS)) {
    GstProgressType type;
    gchar* code = nullptr;
    gst_message_parse_progress(message, &type, &code, nullptr);
    EXPECT_STREQ(code, "model-load");
    g_free(code);
    types.push_back(type);
  }
  return types;
}

bool is_progress(GstMessage* message, GstProgressType wanted) {
  GstProgressType type;
  gst_message_parse_progress(message, &type, nullptr, nullptr);
  return type == wanted;
}

// OpenMP hears that the model's threads wait asleep before the engine brings it in; what the user
// says stays.
TEST_F(States, ModelThreadsWaitAsleep) {
  Rig rig;
  EXPECT_TRUE(g_getenv("OMP_WAIT_POLICY") || g_getenv("GOMP_SPINCOUNT"));
}

// NULL->READY opens the engine library and loads no weights.
TEST_F(States, ReadyNeedsNoWeights) {
  Rig rig;
  EXPECT_EQ(rig.model_state(), "unloaded");
  EXPECT_TRUE(rig.to(GST_STATE_READY));
  EXPECT_EQ(scripted::count(Step::kOpen), 0);
  EXPECT_EQ(rig.model_state(), "unloaded");
  EXPECT_TRUE(rig.messages(GST_MESSAGE_PROGRESS).empty());
}

// READY->PAUSED and PAUSED->PLAYING are done at once, never ASYNC, while the model still loads.
TEST_F(States, PausedDoesNotWaitForTheModel) {
  scripted::hold(Step::kOpen);
  Rig rig;
  GstBus* bus = gst_bus_new();  // of its own: a pipeline does not hand ASYNC_START on
  gst_element_set_bus(rig.v(), bus);
  EXPECT_TRUE(rig.to(GST_STATE_READY));
  EXPECT_EQ(gst_element_set_state(rig.v(), GST_STATE_PAUSED), GST_STATE_CHANGE_SUCCESS);
  EXPECT_EQ(gst_element_set_state(rig.v(), GST_STATE_PLAYING), GST_STATE_CHANGE_SUCCESS);
  EXPECT_TRUE(scripted::wait_for(Step::kOpen, 1));
  EXPECT_EQ(rig.model_state(), "loading");
  EXPECT_FALSE(gst_bus_pop_filtered(bus, GST_MESSAGE_ASYNC_START));
  gst_object_unref(bus);
}

// Loading is told by PROGRESS messages: one start, some percents that grow, one complete.
TEST_F(States, LoadingReportsProgress) {
  Rig rig;
  EXPECT_TRUE(rig.to(GST_STATE_PAUSED));
  ASSERT_TRUE(rig.wait_message(GST_MESSAGE_PROGRESS, [](GstMessage* m) {
    return is_progress(m, GST_PROGRESS_TYPE_COMPLETE);
  }));
  const GstStructure* model = rig.wait_structure("vidi/model");  // follows it
  ASSERT_TRUE(model);
  const auto types = progress_of(rig);
  ASSERT_GE(types.size(), 4u);
  EXPECT_EQ(types.front(), GST_PROGRESS_TYPE_START);
  EXPECT_EQ(types.back(), GST_PROGRESS_TYPE_COMPLETE);
  for (size_t i = 1; i + 1 < types.size(); ++i) EXPECT_EQ(types[i], GST_PROGRESS_TYPE_CONTINUE);
  EXPECT_EQ(text(model, "state"), "ready");
  EXPECT_EQ(text(model, "device"), "cpu");
}

// With unload-after a model without work says that it goes, and with the next window that it is
// loaded anew and ready; the window is analysed as ever.
TEST_F(States, UnloadsWithoutWork) {
  Rig rig({.properties = "query=cat unload-after=1", .windows = windows_of(2)});
  const auto is_unloaded = [](GstMessage* m) {
    const GstStructure* s = gst_message_get_structure(m);
    return gst_structure_has_name(s, "vidi/model") && text(s, "state") == "unloaded";
  };
  rig.start();
  ASSERT_TRUE(rig.wait_message(GST_MESSAGE_ELEMENT, is_unloaded));
  EXPECT_EQ(rig.film(0, 4 * GST_SECOND), GST_FLOW_OK);
  ASSERT_TRUE(rig.wait_structure("vidi/window"));
  std::vector<std::string> states;
  for (const GstStructure* model : rig.structures("vidi/model"))
    states.push_back(text(model, "state"));
  states.resize(4);
  EXPECT_EQ(states, (std::vector<std::string>{"ready", "unloaded", "loading", "ready"}));
  EXPECT_EQ(scripted::count(Step::kOpen), 1);
}

// Data passes while the model loads.
TEST_F(States, DataPassesWhileLoading) {
  scripted::hold(Step::kOpen);
  Rig rig({.windows = windows_of(2)});
  rig.start();
  EXPECT_EQ(rig.film(0, 4 * GST_SECOND), GST_FLOW_OK);
  EXPECT_EQ(rig.out().buffers().size(), 40u);
  EXPECT_EQ(rig.model_state(), "loading");
}

// With model-load=sync PAUSED is reached when the model is there, not before.
TEST_F(States, SyncWaitsForTheModel) {
  scripted::hold(Step::kOpen);
  Rig rig({.properties = "query=cat model-load=sync"});
  Background paused([&] { EXPECT_TRUE(rig.to(GST_STATE_PAUSED)); });
  EXPECT_TRUE(scripted::wait_for(Step::kOpen, 1));
  EXPECT_TRUE(paused.running());
  scripted::release(Step::kOpen);
  EXPECT_TRUE(paused.ended());
  EXPECT_EQ(rig.wait_structure("vidi/model") != nullptr, true);
  EXPECT_EQ(scripted::n_open_sessions(), 1);
}

// model-state notifies each of its values, in order.
TEST_F(States, ModelStateNotifies) {
  Rig rig;
  StateWatch watch(rig);
  EXPECT_TRUE(rig.to(GST_STATE_PAUSED));
  EXPECT_TRUE(watch.wait_for("ready"));
  EXPECT_TRUE(rig.to(GST_STATE_READY));
  scripted::fail(Step::kOpen, {ErrorCode::kDamaged, "Damaged."});
  EXPECT_TRUE(rig.to(GST_STATE_PAUSED));
  EXPECT_TRUE(watch.wait_for("failed"));
  EXPECT_TRUE(rig.to(GST_STATE_NULL));
  EXPECT_EQ(watch.seen(),
            (Strings{"loading", "ready", "unloaded", "loading", "failed", "unloaded"}));
}

// READY gives the model back, and says that loading was cancelled.
TEST_F(States, LeavingPausedCancelsLoading) {
  scripted::hold(Step::kOpen);
  Rig rig;
  EXPECT_TRUE(rig.to(GST_STATE_PAUSED));
  EXPECT_TRUE(scripted::wait_for(Step::kOpen, 1));
  EXPECT_TRUE(rig.to(GST_STATE_READY));
  EXPECT_EQ(scripted::n_cancelled(), 1);
  EXPECT_EQ(rig.model_state(), "unloaded");
  EXPECT_EQ(progress_of(rig).back(), GST_PROGRESS_TYPE_CANCELED);
  EXPECT_TRUE(rig.messages(GST_MESSAGE_ERROR).empty()) << rig.error_text();
}

const char kLive[] =
    "videotestsrc pattern=black ! video/x-raw,width=16,height=16,framerate=1000/1 ! "
    "vidifilter name=v model-path=/a query=dog window-duration=2000000000 "
    "window-stride=2000000000 ! fakesink sync=false";

// NULL->PLAYING->NULL a hundred times, each as soon as PLAYING is reached, frees every session.
TEST_F(States, ComesAndGoesAHundredTimes) {
  Pipeline pipeline(kLive);
  for (int i = 0; i < 100; ++i) {
    ASSERT_TRUE(pipeline.to(GST_STATE_PLAYING)) << i;
    ASSERT_TRUE(pipeline.to(GST_STATE_NULL)) << i;
    ASSERT_EQ(scripted::n_open_sessions(), 0) << i;
  }
  EXPECT_EQ(pipeline.error_text(), "");
}

// The same in the middle of loading, which is cancelled each time.
TEST_F(States, StopsWhileLoadingAHundredTimes) {
  scripted::hold(Step::kOpen);
  Pipeline pipeline(kLive);
  for (int i = 0; i < 100; ++i) {
    ASSERT_TRUE(pipeline.to(GST_STATE_PLAYING)) << i;
    ASSERT_TRUE(scripted::wait_for(Step::kOpen, i + 1)) << i;
    ASSERT_TRUE(pipeline.to(GST_STATE_NULL)) << i;
  }
  EXPECT_GE(scripted::n_cancelled(), 100);  // and now and then a look ahead
  EXPECT_EQ(pipeline.error_text(), "");
}

// The same while the model answers, which is cancelled each time, with the video waiting for it.
TEST_F(States, StopsWhileAskingAHundredTimes) {
  scripted::hold(Step::kAsk);
  Pipeline pipeline(kLive);
  for (int i = 0; i < 100; ++i) {
    ASSERT_TRUE(pipeline.to(GST_STATE_PLAYING)) << i;
    ASSERT_TRUE(scripted::wait_for(Step::kAsk, i + 1)) << i;
    ASSERT_TRUE(pipeline.to(GST_STATE_NULL)) << i;
    ASSERT_EQ(scripted::n_open_sessions(), 0) << i;
  }
  EXPECT_EQ(scripted::n_cancelled(), 100);
  EXPECT_EQ(pipeline.error_text(), "");
}

// A stream that waits at EOS for the model's answer is let go by PAUSED->READY.
TEST_F(States, StopsWhileEosWaits) {
  scripted::hold(Step::kAsk);
  Rig rig({.windows = windows_of(2)});
  rig.start();
  rig.film(0, 1500 * GST_MSECOND);
  Background eos([&] { rig.video.eos(); });
  EXPECT_TRUE(scripted::wait_for(Step::kAsk, 1));
  EXPECT_TRUE(eos.running());
  EXPECT_TRUE(rig.to(GST_STATE_NULL));
  EXPECT_TRUE(eos.ended());
  EXPECT_EQ(rig.out().count("vidi/window"), 0);
}

// An element is freed from whatever state it went to NULL from, also after a failure.
TEST_F(States, IsFreedFromAnyState) {
  const auto expect_freed = [](GstState state, const char* path) {
    GstElement* v = gst_element_factory_make("vidifilter", nullptr);
    gst_object_ref_sink(v);
    bool freed = false;
    g_object_weak_ref(
        G_OBJECT(v), [](gpointer told, GObject*) { *static_cast<bool*>(told) = true; }, &freed);
    g_object_set(v, "model-path", path, nullptr);
    GstPad* json = gst_element_request_pad_simple(v, "json_src");
    gst_element_release_request_pad(v, json);
    gst_object_unref(json);
    GstPad* audio = gst_element_request_pad_simple(v, "audio_sink");
    GstPad* text = gst_element_request_pad_simple(v, "text_src");
    gst_element_set_state(v, state);
    gst_element_set_state(v, GST_STATE_NULL);
    gst_object_unref(audio);
    gst_object_unref(text);
    gst_object_unref(v);
    EXPECT_TRUE(freed) << gst_element_state_get_name(state);
  };
  for (const GstState state :
       {GST_STATE_NULL, GST_STATE_READY, GST_STATE_PAUSED, GST_STATE_PLAYING}) {
    expect_freed(state, "/a");
    expect_freed(state, "");
    scripted::hold(Step::kOpen);
    expect_freed(state, "/a");
    scripted::release(Step::kOpen);
  }
}

// What a run found, without what differs from run to run.
Strings findings_of_a_run(Rig& rig) {
  const size_t n_before = rig.structures("vidi/result").size();
  rig.start();
  rig.film(0, 8 * GST_SECOND);
  rig.video.eos();
  Strings found;
  auto results = rig.structures("vidi/result");
  for (size_t i = n_before; i < results.size(); ++i) {
    GstStructure* same = gst_structure_copy(results[i]);
    gst_structure_remove_fields(same, "session-id", "result-id", "delay", "inference-time",
                                nullptr);
    gchar* text = gst_structure_to_string(same);
    found.push_back(text);
    g_free(text);
    gst_structure_free(same);
  }
  EXPECT_TRUE(rig.to(GST_STATE_READY));
  return found;
}

// READY<->PAUSED again and again: each run finds the same as the first, in a session of its own.
TEST_F(States, EachRunFindsTheSame) {
  scripted::answer_with("0-0.25");
  Rig rig({.windows = windows_of(2)});
  const Strings first = findings_of_a_run(rig);
  EXPECT_EQ(first.size(), 4u);
  EXPECT_EQ(findings_of_a_run(rig), first);
  EXPECT_TRUE(rig.to(GST_STATE_NULL));
  EXPECT_EQ(findings_of_a_run(rig), first);
  EXPECT_EQ(scripted::n_open_sessions(), 0);
  const auto results = rig.structures("vidi/result");
  ASSERT_EQ(results.size(), 12u);
  EXPECT_NE(text(results[0], "session-id"), text(results[4], "session-id"));
  EXPECT_NE(text(results[4], "session-id"), text(results[8], "session-id"));
}

// A stream stopped in mid-window leaves nothing to the next run.
TEST_F(States, AStoppedRunLeavesNothing) {
  scripted::answer_with("0-0.25");
  Rig rig({.windows = windows_of(2)});
  rig.start();
  rig.film(10 * GST_SECOND, 11500 * GST_MSECOND);
  EXPECT_TRUE(rig.to(GST_STATE_READY));
  EXPECT_TRUE(rig.structures("vidi/window").empty());
  EXPECT_EQ(findings_of_a_run(rig).size(), 4u);
  for (const GstStructure* s : rig.structures("vidi/result")) {
    EXPECT_LT(number(s, "timestamp"), 8 * GST_SECOND);
  }
}

}  // namespace
}  // namespace vidi::test
