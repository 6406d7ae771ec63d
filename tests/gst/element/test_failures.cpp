// Broken models and absurd answers: said clearly, and never the end of the application.
#include <gst/gst.h>

#include <cstdlib>

#include "tests/support/rig.h"

namespace vidi::test {
namespace {

using scripted::Step;

struct Failures : ElementTest {};

// $VIDI_ENGINE for the time of a test.
class EngineAt {
 public:
  explicit EngineAt(const char* path) { setenv("VIDI_ENGINE", path, 1); }
  ~EngineAt() { setenv("VIDI_ENGINE", VIDI_SCRIPTED_ENGINE, 1); }
};

constexpr char kPassthrough[] = "query=cat error-policy=passthrough";

// A stream of two windows that must pass whatever the model does.
void expect_stream_passes(Rig& rig) {
  rig.video.start();
  EXPECT_EQ(rig.film(0, 4 * GST_SECOND), GST_FLOW_OK);
  EXPECT_TRUE(rig.video.eos());
  EXPECT_EQ(rig.out().buffers().size(), 40u);
  EXPECT_EQ(rig.out().story().back(), "eos");
}

struct OpenFailure {
  const char* what;
  std::string property;  // with its value
  const char* engine;
  Complaint expected;  // with a part of the sentence
};

std::vector<OpenFailure> open_failures() {
  setenv("VIDI_MODEL", "", 1);  // nor the installed one
  const Complaint no_path{GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_NOT_FOUND, "model-path"};
  const auto no_engine = [](const char* part) {
    return Complaint{GST_LIBRARY_ERROR, GST_LIBRARY_ERROR_INIT, part};
  };
  const char* good = VIDI_SCRIPTED_ENGINE;
  return {{"empty path", "model-path=\"\"", good, no_path},
          {"no library", "device=auto", "/nonsense/engine.so", no_engine("/nonsense/engine.so")},
          {"no ELF file", "device=auto", "/etc/hostname", no_engine("/etc/hostname")},
          {"no API", "device=auto", VIDI_NO_API, no_engine("vidi_engine_api")},
          {"an old API", "device=auto", VIDI_OLD_API, no_engine("version")}};
}

void expect_complaint(const Complaint& found, const Complaint& expected, const char* what) {
  EXPECT_EQ(found.domain, expected.domain) << what;
  EXPECT_EQ(found.code, expected.code) << what;
  EXPECT_NE(found.text.find(expected.text), std::string::npos) << what << ": " << found.text;
}

// Without a path, here or in the environment, or an engine READY is refused, with an ERROR that
// says what is missing.
TEST_F(Failures, NoPathOrNoEngineIsAnErrorAtReady) {
  for (const OpenFailure& failure : open_failures()) {
    const EngineAt engine(failure.engine);
    Rig rig({.properties = "query=cat " + failure.property});
    EXPECT_FALSE(rig.to(GST_STATE_READY)) << failure.what;
    GstMessage* error = rig.wait_message(GST_MESSAGE_ERROR);
    ASSERT_TRUE(error);
    expect_complaint(complaint_of(error), failure.expected, failure.what);
    EXPECT_EQ(rig.messages(GST_MESSAGE_ERROR).size(), 1u) << failure.what;
  }
}

// With error-policy=passthrough the same is one WARNING, and the stream goes on to its EOS.
TEST_F(Failures, NoPathOrNoEngineIsAWarningWithPassthrough) {
  for (const OpenFailure& failure : open_failures()) {
    const EngineAt engine(failure.engine);
    Rig rig({.properties = std::string(kPassthrough) + " " + failure.property,
             .windows = windows_of(2)});
    ASSERT_TRUE(rig.to(GST_STATE_PLAYING)) << failure.what;
    GstMessage* warning = rig.wait_message(GST_MESSAGE_WARNING);
    ASSERT_TRUE(warning);
    expect_complaint(complaint_of(warning), failure.expected, failure.what);
    expect_stream_passes(rig);
    EXPECT_EQ(rig.messages(GST_MESSAGE_WARNING).size(), 1u) << failure.what;
    EXPECT_TRUE(rig.messages(GST_MESSAGE_ERROR).empty()) << failure.what;
  }
}

// The message about the model says which one it is, who named it, and whether sound comes to it.
TEST_F(Failures, TheModelSaysWhereItIsFrom) {
  setenv("VIDI_MODEL", "/models/env", 1);
  Rig pictures({.properties = "query=cat model-path=\"\""}), both({.audio = true});
  pictures.play();
  both.play();
  setenv("VIDI_MODEL", "", 1);
  const GstStructure* model = pictures.structures("vidi/model")[0];
  EXPECT_EQ(text(model, "model-path"), "/models/env");
  EXPECT_EQ(text(model, "model-from"), "VIDI_MODEL");
  EXPECT_FALSE(flag(model, "has-audio"));
  EXPECT_EQ(text(both.structures("vidi/model")[0], "model-from"), "model-path");
  EXPECT_TRUE(flag(both.structures("vidi/model")[0], "has-audio"));
}

// Without $VIDI_ENGINE and without an engine beside the plugin the error names every place tried.
TEST_F(Failures, MissingEngineNamesThePlacesTried) {
  unsetenv("VIDI_ENGINE");
  Rig rig({.windows = windows_of(2)});
  const bool found = rig.to(GST_STATE_READY);
  setenv("VIDI_ENGINE", VIDI_SCRIPTED_ENGINE, 1);
  if (found) GTEST_SKIP() << "this build has an engine";
  const std::string error = complaint_of(rig.wait_message(GST_MESSAGE_ERROR)).text;
  EXPECT_NE(error.find("gst/libvidi.so"), std::string::npos) << error;
  EXPECT_NE(error.find("model/libvidi.so"), std::string::npos) << error;
  EXPECT_NE(error.find("$VIDI_ENGINE"), std::string::npos) << error;
}

struct LoadFailure {
  ErrorCode code;
  GQuark domain;
  int gst_code;
};

std::vector<LoadFailure> load_failures() {
  return {{ErrorCode::kNotFound, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_NOT_FOUND},
          {ErrorCode::kUnreadable, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_READ},
          {ErrorCode::kDamaged, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_READ},
          {ErrorCode::kOutOfMemory, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_NO_SPACE_LEFT},
          {ErrorCode::kOverLimit, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_NO_SPACE_LEFT},
          {ErrorCode::kNoDevice, GST_LIBRARY_ERROR, GST_LIBRARY_ERROR_INIT},
          {ErrorCode::kUnsupported, GST_LIBRARY_ERROR, GST_LIBRARY_ERROR_SETTINGS},
          {ErrorCode::kBadInput, GST_LIBRARY_ERROR, GST_LIBRARY_ERROR_SETTINGS},
          {ErrorCode::kInternal, GST_LIBRARY_ERROR, GST_LIBRARY_ERROR_FAILED}};
}

constexpr char kSentence[] = "Expected a model in /a, found a sandwich.";

// A model that cannot be loaded is a PROGRESS and an ELEMENT ERROR of the right kind with the
// engine's sentence; the stream then ends with GST_FLOW_ERROR.
TEST_F(Failures, LoadFailureEndsTheStream) {
  for (const LoadFailure& failure : load_failures()) {
    scripted::fail(Step::kOpen, {failure.code, kSentence});
    Rig rig({.windows = windows_of(2)});
    rig.start();
    GstMessage* error = rig.wait_message(GST_MESSAGE_ERROR);
    ASSERT_TRUE(error);
    expect_complaint(complaint_of(error), {failure.domain, failure.gst_code, kSentence}, kSentence);
    EXPECT_EQ(rig.frame(0), GST_FLOW_ERROR);
    EXPECT_EQ(rig.model_state(), "failed");
    GstProgressType type;
    gst_message_parse_progress(rig.messages(GST_MESSAGE_PROGRESS).back(), &type, nullptr, nullptr);
    EXPECT_EQ(type, GST_PROGRESS_TYPE_ERROR);
    EXPECT_EQ(text(rig.structures("vidi/model").at(0), "error"), kSentence);
    EXPECT_EQ(rig.messages(GST_MESSAGE_ERROR).size(), 1u);
  }
}

// With error-policy=passthrough it is a WARNING, nothing waits for the model, windows that had
// queued up are reported as dropped, and the stream goes on to its EOS.
TEST_F(Failures, LoadFailurePassesWithPassthrough) {
  for (const LoadFailure& failure : load_failures()) {
    scripted::fail(Step::kOpen, {failure.code, kSentence});
    Rig rig({.properties = kPassthrough, .windows = windows_of(2)});
    ASSERT_TRUE(rig.to(GST_STATE_PLAYING));
    GstMessage* warning = rig.wait_message(GST_MESSAGE_WARNING);
    ASSERT_TRUE(warning);
    expect_complaint(complaint_of(warning), {failure.domain, failure.gst_code, kSentence},
                     kSentence);
    expect_stream_passes(rig);
    EXPECT_TRUE(rig.messages(GST_MESSAGE_ERROR).empty());
  }
}

// Windows that wait for a model that then fails to load are dropped with that reason, and whoever
// waits for them goes on.
TEST_F(Failures, WindowsThatWaitForAFailedModelAreDropped) {
  scripted::hold(Step::kOpen);
  scripted::fail(Step::kOpen, {ErrorCode::kDamaged, kSentence});
  Rig rig({.properties = std::string(kPassthrough) + " max-pending-windows=1",
           .windows = windows_of(2)});
  ASSERT_TRUE(rig.to(GST_STATE_PLAYING));
  Background stream([&] { expect_stream_passes(rig); });
  EXPECT_TRUE(eventually([&] { return rig.stat("pending") > 0; }));
  scripted::release(Step::kOpen);
  EXPECT_TRUE(stream.ended());
  const auto dropped = rig.structures("vidi/window-dropped");
  ASSERT_FALSE(dropped.empty());
  for (const GstStructure* s : dropped) EXPECT_EQ(text(s, "reason"), "model-failed");
}

// So is the window that was being filled when the model failed, however little it has: that it
// got no more pictures is the model's failure too.
TEST_F(Failures, AWindowCutShortByAFailedModelIsDroppedForThat) {
  scripted::hold(Step::kOpen);
  scripted::fail(Step::kOpen, {ErrorCode::kDamaged, kSentence});
  Rig rig({.properties = kPassthrough, .windows = windows_of(2)});
  rig.start();
  EXPECT_EQ(rig.film(0, 2200 * GST_MSECOND), GST_FLOW_OK);  // the second one has a picture
  scripted::release(Step::kOpen);
  ASSERT_TRUE(rig.wait_message(GST_MESSAGE_WARNING));
  EXPECT_EQ(rig.film(2200 * GST_MSECOND, 4 * GST_SECOND), GST_FLOW_OK);
  EXPECT_TRUE(rig.video.eos());
  const auto dropped = rig.structures("vidi/window-dropped");
  ASSERT_EQ(dropped.size(), 2u);
  for (const GstStructure* s : dropped) EXPECT_EQ(text(s, "reason"), "model-failed");
}

// model-load=sync with a failing model: PAUSED is refused; with passthrough it is reached.
TEST_F(Failures, SyncLoadFailureIsAFailedStateChange) {
  scripted::fail(Step::kOpen, {ErrorCode::kNotFound, kSentence}, 2);
  Rig strict({.properties = "query=cat model-load=sync", .windows = windows_of(2)});
  EXPECT_FALSE(strict.to(GST_STATE_PAUSED));
  EXPECT_TRUE(strict.wait_message(GST_MESSAGE_ERROR));
  Rig lenient(
      {.properties = std::string(kPassthrough) + " model-load=sync", .windows = windows_of(2)});
  EXPECT_TRUE(lenient.to(GST_STATE_PLAYING));
  expect_stream_passes(lenient);
}

// A failed element works again after READY, once the cause is gone.
TEST_F(Failures, RecoversWhenTheCauseIsGone) {
  scripted::fail(Step::kOpen, {ErrorCode::kNotFound, kSentence});
  Rig rig({.windows = windows_of(2)});
  rig.start();
  EXPECT_TRUE(rig.wait_message(GST_MESSAGE_ERROR));
  EXPECT_TRUE(rig.to(GST_STATE_READY));
  EXPECT_TRUE(rig.to(GST_STATE_PLAYING));
  expect_stream_passes(rig);
  EXPECT_EQ(rig.structures("vidi/window").size(), 2u);
}

// One failed inference is a WARNING and a counted window; the next window is analysed.
TEST_F(Failures, OneFailedInferenceIsAWarning) {
  for (const Step step : {Step::kEncodeImages, Step::kEncode, Step::kAsk}) {
    scripted::reset();
    scripted::fail(step, {ErrorCode::kInternal, "It broke."}, -1);
    scripted::answer_with("0-1");
    Rig rig({.windows = windows_of(2)});
    rig.start();
    rig.film(0, 3 * GST_SECOND);
    // Until the window itself has failed: a failed look ahead at its pictures is tried again.
    ASSERT_TRUE(rig.wait_message(GST_MESSAGE_WARNING));
    scripted::fail(step, {}, 0);
    rig.film(3 * GST_SECOND, 4 * GST_SECOND);
    rig.video.eos();
    const auto warnings = rig.messages(GST_MESSAGE_WARNING);
    ASSERT_EQ(warnings.size(), 1u);
    expect_complaint(complaint_of(warnings[0]),
                     {GST_STREAM_ERROR, GST_STREAM_ERROR_FAILED, "It broke."}, "inference");
    EXPECT_EQ(rig.stat("windows-failed"), 1u);
    EXPECT_EQ(rig.stat("windows-completed"), 1u);
    const auto windows = rig.structures("vidi/window");
    ASSERT_EQ(windows.size(), 2u);
    EXPECT_EQ(text(windows[0], "error"), "It broke.");
    EXPECT_FALSE(gst_structure_has_field(windows[1], "error"));
    ASSERT_EQ(rig.structures("vidi/result").size(), 1u);
    EXPECT_EQ(number(rig.structures("vidi/result")[0], "timestamp"), 2 * GST_SECOND);
  }
}

// A value that was refused before anybody listened is told at the start; a good one makes it
// forgotten. What acts at the next start says so when it is set too late, and so does a stride that
// leaves time out.
TEST_F(Failures, SettingsThatDoNotActAreTold) {
  Pipeline pipeline(
      "fakesrc ! video/x-raw ! vidifilter name=v model-path=model query=cat ! fakesink");
  gst_util_set_object_arg(G_OBJECT(pipeline.v()), "queries", "<\"cat\",\"\">");
  EXPECT_FALSE(pipeline.to(GST_STATE_READY));
  const auto errors = pipeline.messages(GST_MESSAGE_ERROR);
  ASSERT_EQ(errors.size(), 1u);
  EXPECT_NE(complaint_of(errors[0]).text.find("queries"), std::string::npos)
      << complaint_of(errors[0]).text;
  gst_util_set_object_arg(G_OBJECT(pipeline.v()), "queries", "<\"cat\">");
  EXPECT_TRUE(pipeline.to(GST_STATE_READY));

  Rig rig({.properties = "query=cat", .windows = windows_of(2, 5)});
  rig.play();
  rig.set("frame-rate", "2/1");
  std::string all;
  for (GstMessage* m : rig.messages(GST_MESSAGE_WARNING)) all += complaint_of(m).text + "\n";
  EXPECT_NE(all.find("window-stride is longer"), std::string::npos) << all;
  EXPECT_NE(all.find("frame-rate is taken when the element starts next"), std::string::npos) << all;
}

// A question that the model refuses is a warning, once, and a note in each window's message; the
// others are answered, and the stream goes on.
TEST_F(Failures, ARefusedQuestionIsNoFailure) {
  scripted::answer_with("0-1");
  Rig rig({.properties = "query=dog", .windows = windows_of(2)});
  rig.set("queries", "<\"cat\",\"<pad>\">");
  rig.start();
  rig.film(0, 9 * GST_SECOND);
  rig.video.eos();
  const auto warnings = rig.messages(GST_MESSAGE_WARNING);
  ASSERT_EQ(warnings.size(), 1u);
  const GstStructure* details = nullptr;
  gst_message_parse_warning_details(warnings[0], &details);
  ASSERT_TRUE(details);
  EXPECT_STREQ(gst_structure_get_name(details), "vidi/refused");
  EXPECT_EQ(text(details, "query-id"), "2");
  EXPECT_EQ(rig.stat("windows-failed"), 0u);
  const auto windows = rig.structures("vidi/window");
  ASSERT_GE(windows.size(), 4u);
  for (const GstStructure* window : windows) {
    EXPECT_FALSE(gst_structure_has_field(window, "error"));
    EXPECT_EQ(number(window, "results"), 2u);
    gchar* all = gst_structure_to_string(window);
    EXPECT_NE(std::string(all).find("refused:"), std::string::npos) << all;
    g_free(all);
  }
}

// Out of memory once: caches are freed, the window is tried again in small steps, its result comes.
TEST_F(Failures, OutOfMemoryIsTriedAgain) {
  scripted::fail(Step::kEncode, {ErrorCode::kOutOfMemory, "No memory."});
  scripted::answer_with("0-1");
  Rig rig({.windows = windows_of(2)});
  rig.start();
  rig.film(0, 2 * GST_SECOND);
  rig.video.eos();
  ASSERT_EQ(rig.structures("vidi/window").size(), 1u);
  EXPECT_TRUE(flag(rig.structures("vidi/window")[0], "small-steps"));
  EXPECT_EQ(rig.structures("vidi/result").size(), 1u);
  EXPECT_EQ(scripted::n_caches_freed(), 1);
  EXPECT_TRUE(rig.messages(GST_MESSAGE_WARNING).empty());
}

// Where the device does not hold the window before and the next one, the one before is given up:
// the next one is analysed in usual steps.
TEST_F(Failures, KeptWindowsMakeRoom) {
  Rig rig({.windows = windows_of(2)});
  rig.start();
  rig.film(0, 3 * GST_SECOND);
  ASSERT_TRUE(scripted::wait_for(Step::kAsk, 1));
  scripted::fail(Step::kEncode, {ErrorCode::kOutOfMemory, "No memory."});
  rig.film(3 * GST_SECOND, 4 * GST_SECOND);
  rig.video.eos();
  const auto windows = rig.structures("vidi/window");
  ASSERT_EQ(windows.size(), 2u);
  EXPECT_FALSE(flag(windows[1], "small-steps"));
  EXPECT_EQ(rig.stat("windows-completed"), 2u);
  EXPECT_EQ(scripted::n_caches_freed(), 1);
}

// A window that does not fit, whatever was freed, is dropped and says why; however many these are,
// the stream goes on, and the next window that fits is analysed.
TEST_F(Failures, WindowsThatDoNotFitAreDropped) {
  const std::string sentence = "the device ran out of memory: 20.00 GiB more were wanted";
  scripted::fail(Step::kEncode, {ErrorCode::kOutOfMemory, sentence}, 5 * 2);
  scripted::room_for_partial_windows(false);  // one that has begun would be a third chance
  Rig rig({.windows = windows_of(2)});
  rig.start();
  rig.film(0, 14 * GST_SECOND);
  rig.video.eos();
  const auto dropped = rig.structures("vidi/window-dropped");
  ASSERT_EQ(dropped.size(), 5u);
  for (const GstStructure* s : dropped) {
    EXPECT_EQ(text(s, "reason"), "out-of-memory");
    EXPECT_EQ(text(s, "error"), sentence);
  }
  EXPECT_EQ(rig.structures("vidi/window").size(), 2u);
  EXPECT_EQ(rig.stat("windows-dropped-out-of-memory"), 5u);
  EXPECT_EQ(rig.stat("windows-submitted"), 7u);
  EXPECT_TRUE(rig.messages(GST_MESSAGE_ERROR).empty());
  EXPECT_EQ(rig.messages(GST_MESSAGE_WARNING).size(), 1u);
}

// Three failures in a row are a broken model: an ERROR, and the stream ends.
TEST_F(Failures, ThreeInARowAreAnError) {
  scripted::fail(Step::kAsk, {ErrorCode::kInternal, "It broke."}, -1);
  Rig rig({.windows = windows_of(2)});
  rig.start();
  Background stream([&] { rig.film(0, 60 * GST_SECOND); });
  GstMessage* error = rig.wait_message(GST_MESSAGE_ERROR);
  ASSERT_TRUE(error);
  expect_complaint(complaint_of(error), {GST_LIBRARY_ERROR, GST_LIBRARY_ERROR_FAILED, "It broke."},
                   "three");
  EXPECT_NE(complaint_of(error).text.find("3 windows in a row"), std::string::npos);
  EXPECT_TRUE(stream.ended());
  EXPECT_EQ(rig.frame(60 * GST_SECOND), GST_FLOW_ERROR);
  EXPECT_EQ(rig.model_state(), "failed");
  EXPECT_EQ(rig.messages(GST_MESSAGE_WARNING).size(), 2u);
  EXPECT_EQ(scripted::count(Step::kAsk), 3);
}

// With passthrough three failures end the analysis alone; the stream goes on to its EOS.
TEST_F(Failures, ThreeInARowPassWithPassthrough) {
  scripted::fail(Step::kAsk, {ErrorCode::kInternal, "It broke."}, -1);
  Rig rig({.properties = kPassthrough, .windows = windows_of(2)});
  rig.start();
  EXPECT_EQ(rig.film(0, 30 * GST_SECOND), GST_FLOW_OK);
  rig.video.eos();
  EXPECT_EQ(rig.out().buffers().size(), 300u);
  EXPECT_EQ(scripted::count(Step::kAsk), 3);
  EXPECT_EQ(rig.messages(GST_MESSAGE_WARNING).size(), 3u);
  EXPECT_EQ(rig.model_state(), "failed");
}

// Two failures, a success, two failures: that is not three in a row.
TEST_F(Failures, ASuccessStartsTheCountAgain) {
  int n_asked = 0;  // the model's thread only
  scripted::answer_with([&](const Query&, const scripted::SeenWindow&) -> std::string {
    if (++n_asked % 3 != 0) throw EngineError(ErrorCode::kInternal, "It broke.");
    return "none";
  });
  Rig rig({.windows = windows_of(2)});
  rig.start();
  EXPECT_EQ(rig.film(0, 12 * GST_SECOND), GST_FLOW_OK);
  rig.video.eos();
  EXPECT_EQ(rig.stat("windows-failed"), 4u);
  EXPECT_EQ(rig.stat("windows-completed"), 2u);
  EXPECT_EQ(rig.model_state(), "ready");
}

// An answer that cannot be read is told: the raw text and a note, and no result.
TEST_F(Failures, UnreadableAnswersAreTold) {
  scripted::answer_with("I would rather talk about the weather.");
  Rig rig({.windows = windows_of(2)});
  rig.start();
  rig.film(0, 2 * GST_SECOND);
  rig.video.eos();
  ASSERT_EQ(rig.structures("vidi/window").size(), 1u);
  const GstStructure* window = rig.structures("vidi/window")[0];
  EXPECT_EQ(number(window, "results"), 0u);
  EXPECT_EQ(texts(window, "texts"), (Strings{"I would rather talk about the weather."}));
  ASSERT_FALSE(texts(window, "notes").empty());
  EXPECT_NE(texts(window, "notes").back().find("not understood"), std::string::npos);
  EXPECT_TRUE(rig.structures("vidi/result").empty());
}

Strings absurd_answers() {
  std::string huge, endless;
  for (int i = 0; i < 20000; ++i) huge += "0." + std::to_string(i % 10) + "-0.95, ";
  endless.assign(1 << 20, '0');
  return {"",
          "-",
          "0.9-0.1",
          "-0.5-7.5",
          "1e308-1e309",
          "nan-inf",
          "0.1-0.2-0.3-0.4",
          "999999999999999999999999-0.5",
          std::string("0.1-0.\0005", 8),
          "\xff\xfe\x80 0.1-0.4 \xc3",
          "0.1-0.4: \xf0\x9f\x98 label \x01\x02",
          "{\"type\": \"0.1-0.2\"}",
          "%s%n%x 0.1-0.2",
          huge,
          endless};
}

// Whatever the model says, results stay inside their window, texts are UTF-8, and nothing crashes.
TEST_F(Failures, AbsurdAnswersStayHarmless) {
  for (const std::string& answer : absurd_answers()) {
    scripted::answer_with(answer);
    Rig rig({.windows = windows_of(2)});
    Outlet& json = rig.record("json_src");
    Outlet& cues = rig.record("text_src");
    rig.start();
    rig.film(4 * GST_SECOND, 6 * GST_SECOND);
    rig.video.eos();
    ASSERT_EQ(rig.structures("vidi/window").size(), 1u) << answer.substr(0, 40);
    for (const GstStructure* s : rig.structures("vidi/result")) {
      EXPECT_GE(number(s, "timestamp"), 4 * GST_SECOND);
      EXPECT_LE(number(s, "timestamp") + number(s, "duration"), 6 * GST_SECOND);
      EXPECT_TRUE(g_utf8_validate(text(s, "text").c_str(), -1, nullptr));
    }
    for (Outlet* out : {&json, &cues}) {
      EXPECT_TRUE(out->wait_for("eos"));
      const std::string bytes = out->bytes();
      EXPECT_TRUE(g_utf8_validate(bytes.data(), static_cast<gssize>(bytes.size()), nullptr))
          << bytes.substr(0, 2000);
    }
    EXPECT_TRUE(rig.messages(GST_MESSAGE_WARNING).empty());
  }
}

}  // namespace
}  // namespace vidi::test
