// The action signals, and the switch that pauses the analysis.
#include <gtest/gtest.h>

#include <atomic>
#include <set>
#include <thread>

#include "model/session.h"
#include "tests/support/rig.h"
#include "tests/support/windows.h"

namespace vidi::test {
namespace {

using scripted::SeenWindow;
using scripted::Step;

class Actions : public ElementTest {
 protected:
  void SetUp() override {
    ElementTest::SetUp();
    scripted::answer_with([](const Query& query, const SeenWindow&) {
      return query.text == "cat" ? "none" : "0.25-0.50";
    });
  }

  const GstStructure* result_of(Rig& rig, const std::string& id) {
    return rig.wait_structure("vidi/result",
                              [&](const GstStructure* s) { return text(s, "query-id") == id; });
  }
  // Plays one window and waits until it is encoded and told.
  void play_one_window(Rig& rig) {
    rig.play();
    rig.frames(0, 4);
    ASSERT_TRUE(rig.wait_structure("vidi/window"));
  }
};

constexpr guint64 kNone = GST_CLOCK_TIME_NONE;

// A question about the window that is encoded is answered under the returned id, without looking
// at the pictures again.
TEST_F(Actions, AskAboutTheEncodedWindow) {
  Rig rig;
  play_one_window(rig);
  const std::string id = rig.ask("dog");
  ASSERT_FALSE(id.empty());
  const GstStructure* s = result_of(rig, id);
  ASSERT_TRUE(s);
  EXPECT_EQ(text(s, "query"), "dog");
  EXPECT_EQ(text(s, "task"), "retrieval");
  EXPECT_EQ(number(s, "timestamp"), GST_SECOND);
  EXPECT_TRUE(flag(s, "final"));
  EXPECT_EQ(scripted::count(Step::kEncode), 1);
  EXPECT_NE(rig.ask("dog"), id);
}

// Every hit of a run has an id of its own, whoever asked.
TEST_F(Actions, AnswersHaveIdsOfTheirOwn) {
  Rig rig({.properties = "query=bird"});
  play_one_window(rig);
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(result_of(rig, rig.ask("dog")));
  rig.frames(5, 8);
  rig.end();
  std::set<guint64> ids;
  const auto results = rig.structures("vidi/result");
  for (const GstStructure* s : results) ids.insert(number(s, "result-id"));
  EXPECT_EQ(results.size(), 5u);
  EXPECT_EQ(ids.size(), results.size());
}

// Questions are answered in PAUSED too.
TEST_F(Actions, AskWhilePaused) {
  Rig rig;
  play_one_window(rig);
  ASSERT_NE(gst_element_set_state(rig.get(), GST_STATE_PAUSED), GST_STATE_CHANGE_FAILURE);
  EXPECT_TRUE(result_of(rig, rig.ask("dog")));
}

// And after EOS, on the bus.
TEST_F(Actions, AskAfterTheEnd) {
  Rig rig;
  rig.play();
  rig.frames(0, 3);
  rig.end();
  EXPECT_TRUE(result_of(rig, rig.ask("dog", GST_SECOND, 2 * GST_SECOND)));
}

// Pictures that are kept for a window that still fills can be asked about.
TEST_F(Actions, AskAboutAWindowThatFills) {
  const auto seen = collect_windows();
  Rig rig({.windows = windows_of(60)});
  rig.play();
  rig.frames(0, 12);
  const std::string id = rig.ask("dog", 2 * GST_SECOND, 5 * GST_SECOND);
  ASSERT_FALSE(id.empty());
  ASSERT_TRUE(rig.wait_structure("vidi/window"));
  ASSERT_EQ(seen().size(), 1u);
  EXPECT_EQ(seen()[0].frames, (std::vector<uint32_t>{colour_of(2), colour_of(3), colour_of(4)}));
  EXPECT_EQ(seen()[0].duration_s, 3.0);
  EXPECT_EQ(rig.stat("windows-submitted"), 0u);  // the window itself fills on
}

// A time of which nothing is kept is refused, with a warning.
TEST_F(Actions, AskAboutAForgottenTimeIsRefused) {
  Rig rig;
  play_one_window(rig);
  EXPECT_EQ(rig.ask("dog", 1000 * GST_SECOND, 2000 * GST_SECOND), "");
  EXPECT_TRUE(rig.wait_message(GST_MESSAGE_WARNING));
}

// Without a question in UTF-8 there is no request.
TEST_F(Actions, AskWithoutAQuestionIsRefused) {
  Rig rig;
  play_one_window(rig);
  EXPECT_EQ(rig.ask(nullptr), "");
  EXPECT_EQ(rig.ask(""), "");
  EXPECT_EQ(rig.ask("\xff\xfe"), "");
  EXPECT_EQ(rig.messages(GST_MESSAGE_WARNING).size(), 3u);
}

// Questions without end are refused, those that wait are answered.
TEST_F(Actions, TooManyQuestions) {
  Rig rig;
  play_one_window(rig);
  scripted::hold(Step::kAsk);
  size_t n_taken = 0;
  for (int i = 0; i < 3000; ++i) n_taken += !rig.ask("dog").empty();
  EXPECT_GE(n_taken, 1000u);
  EXPECT_LE(n_taken, 1002u);
  scripted::release(Step::kAsk);
  EXPECT_TRUE(eventually([&] { return rig.structures("vidi/result").size() >= n_taken; }));
}

// From other threads while the element comes and goes: an id or a refusal, never a crash.
TEST_F(Actions, AskWhileTheElementStops) {
  Rig rig;
  std::atomic<bool> over{false};
  std::vector<std::thread> threads;
  for (int i = 0; i < 3; ++i) {
    threads.emplace_back([&, i] {
      while (!over) {
        rig.ask("dog", i == 0 ? 0 : kNone, i == 0 ? GST_SECOND : kNone);
        rig.stat("windows-submitted");
        if (i == 2) rig.set("max-pending-windows", "3");
      }
    });
  }
  for (int i = 0; i < 60; ++i) {
    EXPECT_NE(gst_element_set_state(rig.get(), GST_STATE_PAUSED), GST_STATE_CHANGE_FAILURE);
    EXPECT_NE(gst_element_set_state(rig.get(), GST_STATE_READY), GST_STATE_CHANGE_FAILURE);
    rig.messages(GST_MESSAGE_WARNING);
  }
  over = true;
  for (std::thread& thread : threads) thread.join();
}

// Whoever hears of a window may ask at once, on the thread that says it.
TEST_F(Actions, AskFromInsideAMessage) {
  Rig rig({.properties = "query=cat window-duration=1000000000 window-stride=1000000000"});
  std::atomic<int> n_asked{0};
  GstBus* bus = gst_element_get_bus(rig.get());
  struct Context {
    Rig& rig;
    std::atomic<int>& n_asked;
  } context{rig, n_asked};
  const auto on_message = [](GstBus*, GstMessage* message, gpointer data) -> GstBusSyncReply {
    auto* c = static_cast<Context*>(data);
    if (gst_message_has_name(message, "vidi/window-dropped") ||
        gst_message_has_name(message, "vidi/window")) {
      c->rig.ask("dog", 0, 100 * GST_SECOND);
      ++c->n_asked;
    }
    return GST_BUS_PASS;
  };
  gst_bus_set_sync_handler(bus, on_message, &context, nullptr);
  rig.play();
  rig.frames(0, 6);  // of one picture each: dropped
  rig.end();
  EXPECT_GE(n_asked, 3);
  gst_bus_set_sync_handler(bus, nullptr, nullptr, nullptr);
  gst_object_unref(bus);
}

// Before there is a model or a picture nothing can be asked, and nothing breaks.
TEST_F(Actions, AskBeforeTheStartIsRefused) {
  Rig rig;
  EXPECT_EQ(rig.ask("dog"), "");
  EXPECT_EQ(rig.ask("dog", 0, GST_SECOND), "");
  rig.play();
  EXPECT_EQ(rig.ask("dog", 0, GST_SECOND), "");
  EXPECT_EQ(rig.ask("dog", 2 * GST_SECOND, GST_SECOND), "");
}

// With keep-windows=3 a question about all times is answered by the last three windows.
TEST_F(Actions, SeveralKeptWindowsAnswer) {
  Rig rig({.properties = "query=cat keep-windows=3"});
  rig.play();
  rig.frames(0, 19);
  rig.end();
  ASSERT_EQ(rig.structures("vidi/window").size(), 5u);
  const std::string id = rig.ask("dog");
  for (const guint64 start : {8, 12, 16}) {
    const GstStructure* s = result_of(rig, id);
    ASSERT_TRUE(s);
    EXPECT_EQ(number(s, "window-start"), start * GST_SECOND);
  }
  EXPECT_TRUE(result_of(rig, rig.ask("dog", 9 * GST_SECOND, 10 * GST_SECOND)));
  EXPECT_EQ(rig.ask("dog", GST_SECOND, 2 * GST_SECOND), "");  // of the first window
}

// A question while the model is busy returns at once and is answered before what waits.
TEST_F(Actions, AskWhileTheModelIsBusy) {
  Rig rig;
  play_one_window(rig);
  scripted::hold(Step::kEncode);
  rig.frames(5, 12);
  ASSERT_TRUE(scripted::wait_for(Step::kEncode, 2));
  std::string id;
  rig.within_limit([&] { id = rig.ask("dog"); });
  ASSERT_FALSE(id.empty());
  scripted::release(Step::kEncode);
  rig.end();
  std::vector<std::string> order;
  for (GstMessage* m : rig.messages(GST_MESSAGE_ELEMENT)) {
    const GstStructure* s = gst_message_get_structure(m);
    if (gst_structure_has_name(s, "vidi/result")) order.push_back(text(s, "query-id"));
    if (gst_structure_has_name(s, "vidi/window")) order.emplace_back("window");
  }
  // Window 0; window 1, which was at work; the question, and the message about it; window 2.
  EXPECT_EQ(order, (std::vector<std::string>{"window", "window", id, "window", "window"}));
}

// A question while the model loads is answered when it is there.
TEST_F(Actions, AskWhileTheModelLoads) {
  scripted::hold(Step::kOpen);
  Rig rig({.windows = windows_of(60)});
  rig.start();
  rig.frames(0, 12);
  const std::string id = rig.ask("dog", 2 * GST_SECOND, 5 * GST_SECOND);
  EXPECT_FALSE(id.empty());
  scripted::release(Step::kOpen);
  EXPECT_TRUE(result_of(rig, id));
}

// A question about a window that is in work, or waits for the model, is answered when that is
// encoded.
TEST_F(Actions, AskAboutAWindowThatWaits) {
  scripted::hold(Step::kEncode);
  Rig rig;
  rig.play();
  rig.frames(0, 12);
  ASSERT_TRUE(scripted::wait_for(Step::kEncode, 1));
  const std::string first = rig.ask("dog", GST_SECOND, 2 * GST_SECOND);
  const std::string second = rig.ask("dog", 5 * GST_SECOND, 6 * GST_SECOND);
  EXPECT_FALSE(first.empty());
  EXPECT_FALSE(second.empty());
  scripted::release(Step::kEncode);
  const GstStructure* s = result_of(rig, first);
  ASSERT_TRUE(s);
  EXPECT_EQ(number(s, "timestamp"), GST_SECOND);
  s = result_of(rig, second);
  ASSERT_TRUE(s);
  EXPECT_EQ(number(s, "timestamp"), 5 * GST_SECOND);
}

// A question whose window fails is not forgotten: a warning names it.
TEST_F(Actions, AskAboutAWindowThatFails) {
  scripted::hold(Step::kEncode);
  scripted::fail(Step::kEncode, {ErrorCode::kInternal, "a cable came loose"});
  Rig rig;
  rig.play();
  rig.frames(0, 4);
  ASSERT_TRUE(scripted::wait_for(Step::kEncode, 1));
  const std::string id = rig.ask("dog", GST_SECOND, 2 * GST_SECOND);
  ASSERT_FALSE(id.empty());
  scripted::release(Step::kEncode);
  EXPECT_TRUE(rig.wait_message(GST_MESSAGE_WARNING, [&](GstMessage* m) {
    return complaint_of(m).text.find(id) != std::string::npos;
  }));
}

// analyze-now ends the window here; the next frame starts another.
TEST_F(Actions, AnalyzeNow) {
  Rig rig({.windows = windows_of(60)});
  rig.play();
  rig.frames(0, 6);
  g_signal_emit_by_name(rig.v(), "analyze-now");
  const GstStructure* s = rig.wait_structure("vidi/window");
  ASSERT_TRUE(s);
  EXPECT_EQ(number(s, "window-start"), 0u);
  EXPECT_EQ(number(s, "window-stop"), 7 * GST_SECOND);
  EXPECT_TRUE(flag(s, "partial-window"));
  rig.frames(7, 9);
  rig.end();
  const auto windows = rig.structures("vidi/window");
  ASSERT_EQ(windows.size(), 2u);
  EXPECT_EQ(number(windows[1], "window-start"), 7 * GST_SECOND);
}

// Windows that overlap the one that is ended and have begun are a part of it: their numbers, and
// that of the window planned behind them, are left out; the next begins with the next picture.
TEST_F(Actions, AnalyzeNowTakesWhatOverlaps) {
  Rig rig({.windows = windows_of(8, 2)});
  rig.play();
  rig.frames(0, 4);
  g_signal_emit_by_name(rig.v(), "analyze-now");
  rig.frames(5, 12);
  rig.end();
  const auto windows = rig.structures("vidi/window");
  ASSERT_GE(windows.size(), 2u);
  EXPECT_EQ(number(windows[0], "window-index"), 0u);
  EXPECT_EQ(number(windows[0], "window-stop"), 5 * GST_SECOND);
  EXPECT_EQ(number(windows[1], "window-index"), 4u);
  EXPECT_EQ(number(windows[1], "window-start"), 5 * GST_SECOND);
}

// analyze-now where nothing is to analyse does nothing.
TEST_F(Actions, AnalyzeNowWithoutFrames) {
  Rig rig;
  g_signal_emit_by_name(rig.v(), "analyze-now");
  rig.play();
  g_signal_emit_by_name(rig.v(), "analyze-now");
  rig.end();
  EXPECT_TRUE(rig.structures("vidi/window").empty());
}

// A thousand questions from four threads, while video flows, are each answered or refused.
TEST_F(Actions, ManyQuestionsAtOnce) {
  Rig rig;
  play_one_window(rig);
  std::atomic<int> n_taken{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 250; ++i) {
        const bool of_all = (i + t) % 2;
        n_taken += !rig.ask("dog", of_all ? kNone : i % 40 * GST_SECOND,
                            of_all ? kNone : (i % 40 + 3) * GST_SECOND)
                        .empty();
      }
    });
  }
  rig.frames(5, 60);
  for (std::thread& thread : threads) thread.join();
  rig.end();
  EXPECT_GE(n_taken, 500);
}

// passthrough=true pauses the analysis and keeps the model; false resumes without loading again.
TEST_F(Actions, PassthroughPausesTheAnalysis) {
  Rig rig;
  play_one_window(rig);
  rig.set("passthrough", "true");
  rig.frames(5, 29);
  EXPECT_EQ(rig.out().count("buffer"), 30);
  rig.set("passthrough", "false");
  rig.frames(30, 39);
  rig.end();
  std::vector<guint64> starts;
  for (const GstStructure* s : rig.structures("vidi/window")) {
    starts.push_back(number(s, "window-start") / GST_SECOND);
  }
  EXPECT_EQ(starts, (std::vector<guint64>{0, 30, 34, 38}));
  EXPECT_EQ(scripted::count(Step::kOpen), 1);
  EXPECT_EQ(scripted::n_open_sessions(), 1);
}

}  // namespace
}  // namespace vidi::test
