// A random hand: three threads do to the element whatever an application may do, in any order; and
// to twelve elements of one model at once.
// Nothing may hang (an action has ten seconds, of twelve a minute), nothing may be critical, every
// window is accounted for, and nothing is left behind (leak_watch.cpp).
//
// VIDI_HAND_SECONDS: how long (3). VIDI_HAND_SEED: the first run's seed (1); runs count up from it.
// One run alone, again and again: VIDI_HAND_SEED=17 VIDI_HAND_RUNS=1 --gtest_repeat=100.

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <random>
#include <thread>

#include "tests/support/rig.h"

namespace vidi::test {
namespace {

using Clock = std::chrono::steady_clock;
constexpr auto kActionLimit = std::chrono::seconds(60);
constexpr auto kLimitOfMany = std::chrono::seconds(120);
constexpr int kActions = 40;  // of a thread in one run

long number_from(const char* variable, long otherwise) {
  const char* text = std::getenv(variable);
  return text ? std::atol(text) : otherwise;
}

// Between two actions of one thread; nobody waits for another thread with it.
void pause(int milliseconds) {
  static std::promise<void> never;
  static const std::shared_future<void> future = never.get_future().share();
  future.wait_for(std::chrono::milliseconds(milliseconds));
}

class Dice {
 public:
  explicit Dice(uint64_t seed) : engine_(seed) {}
  int roll(int n) { return static_cast<int>(engine_() % static_cast<unsigned>(n)); }
  bool one_in(int n) { return roll(n) == 0; }
  template <class T>
  const T& of(const std::vector<T>& choices) {
    return choices[roll(static_cast<int>(choices.size()))];
  }

 private:
  std::mt19937_64 engine_;
};

// What a thread is doing, for the watch: a name while an action runs, null between two.
class Hand {
 public:
  template <class Action>
  void act(const char* name, Action action) {
    began_ = Clock::now().time_since_epoch().count();
    name_ = name;
    action();
    name_ = nullptr;
  }
  // The action that takes too long, or null.
  const char* stuck(Clock::duration limit) const {
    const char* name = name_;
    const Clock::duration began(began_.load());
    return name && Clock::now().time_since_epoch() - began > limit ? name : nullptr;
  }

 private:
  std::atomic<const char*> name_{nullptr};
  std::atomic<Clock::rep> began_{0};
};

// One pipeline and what is done to it.
class Round {
 public:
  explicit Round(uint64_t seed, Clock::duration limit = kActionLimit)
      : seed_(seed), limit_(limit), dice_(seed) {
    build();
  }
  ~Round() { gst_object_unref(pipeline_); }

  void play() {
    std::vector<std::thread> threads;
    threads.emplace_back([this] { seek_and_flush(Dice(seed_ * 3 + 0), hands_[0]); });
    threads.emplace_back([this] { change_pads(Dice(seed_ * 3 + 1), hands_[1]); });
    threads.emplace_back([this] { use(Dice(seed_ * 3 + 2), hands_[2]); });
    std::thread watch([this] { watch_hands(); });
    for (std::thread& thread : threads) thread.join();
    hands_[3].act("the end: to NULL", [this] { gst_element_set_state(pipeline_, GST_STATE_NULL); });
    over_ = true;
    watch.join();
    gst_bus_set_sync_handler(bus_, nullptr, nullptr, nullptr);
    gst_object_unref(bus_);
    expect_account(true);
    for (GstElement* sink : loose_)
      gst_element_set_state(sink, GST_STATE_NULL), gst_object_unref(sink);
    gst_object_unref(v_);
  }

 private:
  void build();
  void watch_hands() const;
  void seek_and_flush(Dice dice, Hand& hand);
  void change_pads(Dice dice, Hand& hand);
  void use(Dice dice, Hand& hand);
  void change_state(Dice& dice);
  void set_property(Dice& dice);
  void ask(Dice& dice);
  void add_reader(Dice& dice);
  void remove_reader(Dice& dice);
  void expect_account(bool at_rest) const;
  static GstBusSyncReply on_message(GstBus*, GstMessage* message, gpointer self);

  const uint64_t seed_;
  const Clock::duration limit_;  // of an action
  Dice dice_;
  GstElement *pipeline_ = nullptr, *v_ = nullptr;
  GstBus* bus_ = nullptr;
  Hand hands_[4];
  std::atomic<bool> over_{false};
  std::atomic<int> n_messages_{0};
  struct Reader {  // of a side pad
    GstPad* pad;   // owned, of the element
    GstElement* sink;
  };
  std::vector<Reader> readers_;     // change_pads() alone
  std::vector<GstElement*> loose_;  // sinks that are out of the pipeline
};

void Round::build() {
  const bool live = dice_.one_in(3);
  const std::string source = live ? "is-live=true"
                             : dice_.one_in(2)
                                 ? "num-buffers=" + std::to_string(10 + dice_.roll(200))
                                 : "";
  const std::string windows = " window-duration=" + std::to_string(1 + dice_.roll(4)) +
                              "000000000 window-stride=" + std::to_string(1 + dice_.roll(3)) +
                              "000000000 ";
  const std::vector<std::string> outs = {
      "fakesink sync=false", "fakesink sync=true", "fakesink sync=false async=false",
      "identity sleep-time=3000 ! fakesink sync=false", "queue ! fakesink sync=true"};
  const std::string device = dice_.of<std::string>({"cpu", "cpu", "cpu,cpu", "cpu,cpu,cpu"});
  const std::string split = dice_.roll(3) == 0 ? " split-windows=true" : "";
  std::string line = "vidifilter name=v model-path=model query=cat device=" + device + split +
                     " max-pending-windows=" + std::to_string(1 + dice_.roll(3)) + windows +
                     "videotestsrc " + source +
                     " ! video/x-raw,width=32,height=32,framerate=10/1,format=" +
                     dice_.of<std::string>({"RGB", "I420", "NV12"}) + " ! queue ! v.sink v.src ! " +
                     dice_.of(outs) + " ";
  if (dice_.roll(3) > 0) {
    line += "audiotestsrc " + source +
            " samplesperbuffer=1600 ! audio/x-raw,rate=16000,channels=1 " +
            "! queue ! v.audio_sink v.audio_src ! queue ! " + dice_.of(outs);
  }
  GError* error = nullptr;
  pipeline_ = gst_parse_launch(line.c_str(), &error);
  ASSERT_FALSE(error) << line << ": " << error->message;
  gst_object_ref_sink(pipeline_);
  v_ = gst_bin_get_by_name(GST_BIN(pipeline_), "v");
  bus_ = gst_element_get_bus(pipeline_);
  gst_bus_set_sync_handler(bus_, on_message, this, nullptr);
}

// An action that takes too long is told with all that runs beside it; then the program ends, since
// a thread that hangs cannot be taken back.
void Round::watch_hands() const {
  for (; !over_; pause(20)) {
    for (const Hand& hand : hands_) {
      const char* stuck = hand.stuck(limit_);
      if (!stuck) continue;
      std::fprintf(stderr, "run %llu: '%s' hangs\n", static_cast<unsigned long long>(seed_), stuck);
      std::abort();
    }
  }
}

// Whoever hears a message on the thread that sends it may call the element from there.
GstBusSyncReply Round::on_message(GstBus*, GstMessage* message, gpointer user) {
  auto* self = static_cast<Round*>(user);
  if (GST_MESSAGE_TYPE(message) == GST_MESSAGE_ELEMENT && !self->over_) {
    Dice dice(self->seed_ + 1000003 * static_cast<uint64_t>(++self->n_messages_));
    if (dice.one_in(3)) self->ask(dice);
    if (dice.one_in(3)) self->set_property(dice);
    if (dice.one_in(3)) self->expect_account(false);
    if (dice.one_in(8)) g_signal_emit_by_name(self->v_, "analyze-now");
  }
  gst_message_unref(message);
  return GST_BUS_DROP;
}

void Round::seek_and_flush(Dice dice, Hand& hand) {
  for (int i = 0; i < kActions; ++i) {
    const auto to = static_cast<gint64>(dice.roll(20)) * GST_SECOND / 2;
    switch (dice.roll(5)) {
      case 0:
        hand.act("a flushing seek", [&] {
          gst_element_seek_simple(pipeline_, GST_FORMAT_TIME, GST_SEEK_FLAG_FLUSH, to);
        });
        break;
      case 1: {
        const auto flags = static_cast<GstSeekFlags>(GST_SEEK_FLAG_FLUSH |
                                                     (dice.one_in(2) ? GST_SEEK_FLAG_SEGMENT : 0));
        hand.act("a seek to a part", [&] {
          gst_element_seek(pipeline_, dice.one_in(5) ? 2.0 : 1.0, GST_FORMAT_TIME, flags,
                           GST_SEEK_TYPE_SET, to, GST_SEEK_TYPE_SET, to + 2 * GST_SECOND);
        });
        break;
      }
      case 2:
        hand.act("queries", [&] {
          gint64 value;
          gst_element_query_position(pipeline_, GST_FORMAT_TIME, &value);
          gst_element_query_duration(pipeline_, GST_FORMAT_TIME, &value);
          GstQuery* latency = gst_query_new_latency();
          gst_element_query(pipeline_, latency);
          gst_query_unref(latency);
        });
        break;
      default:
        pause(dice.roll(20));
    }
  }
}

// Reads one and stands still then, for a flush or a change of state to wake. No appsink that nobody
// reads: one that was added to a playing pipeline goes on in PAUSED and keeps its lock, so that
// PLAYING hangs; that is GStreamer 1.22's own (appsrc ! tee ! appsink).
GstElement* reader_that_stands_still() {
  GstElement* reader =
      gst_parse_bin_from_description("identity name=still ! fakesink sync=false", TRUE, nullptr);
  GstElement* still = gst_bin_get_by_name(GST_BIN(reader), "still");
  GstPad* pad = gst_element_get_static_pad(still, "src");  // a flush ends the probe of a source pad
  const auto type =
      static_cast<GstPadProbeType>(GST_PAD_PROBE_TYPE_BLOCK | GST_PAD_PROBE_TYPE_BUFFER);
  const auto stand_still = [](GstPad*, GstPadProbeInfo*, gpointer n_read) {
    return (*static_cast<int*>(n_read))++ == 0 ? GST_PAD_PROBE_PASS : GST_PAD_PROBE_OK;
  };
  gst_pad_add_probe(pad, type, stand_still, new int(0),
                    [](gpointer n_read) { delete static_cast<int*>(n_read); });
  gst_object_unref(pad);
  gst_object_unref(still);
  return reader;
}

// A side pad is requested and linked to a reader that is fast, slow, or stands still.
void Round::add_reader(Dice& dice) {
  const char* name = dice.one_in(2) ? "text_src" : "json_src";
  for (const Reader& reader : readers_) {
    if (g_str_equal(GST_PAD_NAME(reader.pad), name)) return;  // there is one of each
  }
  GstPad* pad = gst_element_request_pad_simple(v_, name);
  if (!pad) return;
  GstElement* sink = nullptr;
  switch (dice.roll(4)) {
    case 0:  // nobody reads
      break;
    case 1:
      sink = reader_that_stands_still();
      break;
    default:
      sink = gst_element_factory_make("fakesink", nullptr);
      g_object_set(sink, "sync", dice.one_in(2), "async", dice.one_in(2), nullptr);
  }
  if (sink) {
    gst_object_ref_sink(sink);
    gst_bin_add(GST_BIN(pipeline_), sink);
    GstPad* sink_pad = gst_element_get_static_pad(sink, "sink");
    gst_pad_link(pad, sink_pad);
    gst_object_unref(sink_pad);
    if (!dice.one_in(5)) gst_element_sync_state_with_parent(sink);
  }
  readers_.push_back({pad, sink});
}

void Round::remove_reader(Dice& dice) {
  if (readers_.empty()) return;
  const size_t which = dice.roll(static_cast<int>(readers_.size()));
  const Reader reader = readers_[which];
  readers_.erase(readers_.begin() + static_cast<std::ptrdiff_t>(which));
  const bool unlinks_first = dice.one_in(2);
  if (reader.sink && unlinks_first) {
    GstPad* sink_pad = gst_element_get_static_pad(reader.sink, "sink");
    gst_pad_unlink(reader.pad, sink_pad);
    gst_object_unref(sink_pad);
    pause(dice.roll(100));  // the pad stays for a while without its reader
  }
  gst_element_release_request_pad(v_, reader.pad);
  gst_object_unref(reader.pad);
  if (!reader.sink) return;
  // A change of state that is under way may still reach it, so it is stopped when all is over.
  gst_element_set_locked_state(reader.sink, TRUE);
  gst_bin_remove(GST_BIN(pipeline_), reader.sink);
  loose_.push_back(reader.sink);
}

void Round::change_pads(Dice dice, Hand& hand) {
  for (int i = 0; i < kActions; ++i) {
    if (readers_.size() < 3 && dice.one_in(2))
      hand.act("a side pad is requested", [&] { add_reader(dice); });
    else if (dice.one_in(2))
      hand.act("a side pad is released", [&] { remove_reader(dice); });
    else
      pause(dice.roll(15));
  }
  while (!readers_.empty() && !dice.one_in(4))
    hand.act("a side pad is released at the end", [&] { remove_reader(dice); });
  for (const Reader& reader : readers_) {  // these go with the pipeline
    gst_object_unref(reader.pad);
    if (reader.sink) gst_object_unref(reader.sink);
  }
}

void Round::change_state(Dice& dice) {
  const std::vector<GstState> states = {GST_STATE_PLAYING, GST_STATE_PLAYING, GST_STATE_PLAYING,
                                        GST_STATE_PAUSED,  GST_STATE_PAUSED,  GST_STATE_READY,
                                        GST_STATE_NULL};
  gst_element_set_state(pipeline_, dice.of(states));
}

void Round::set_property(Dice& dice) {
  const std::vector<std::pair<const char*, const char*>> values = {
      {"query", "a dog"},
      {"query", ""},
      {"queries", "<\"a\",\"b\">"},
      {"window-duration", "1000000000"},
      {"window-duration", "3000000000"},
      {"window-stride", "500000000"},
      {"window-stride", "5000000000"},
      {"merge-gap", "0"},
      {"merge-gap", "18446744073709551615"},
      {"min-confidence", "0.5"},
      {"overload-policy", "drop-oldest"},
      {"overload-policy", "block"},
      {"overload-policy", "drop-newest"},
      {"max-pending-windows", "1"},
      {"keep-windows", "4"},
      {"max-delay", "100000000"},
      {"max-delay", "0"},
      {"keep-windows", "1"},
      {"gate", "motion"},
      {"gate", "none"},
      {"gate-similarity", "0.99"},
      {"gate-similarity", "0.5"},
      {"passthrough", "true"},
      {"passthrough", "false"},
      {"audio-wait", "0"},
      {"task", "highlight"},
      {"task", "retrieval"},
      {"max-highlights", "1"}};
  const auto& [name, value] = dice.of(values);
  gst_util_set_object_arg(G_OBJECT(v_), name, value);
}

void Round::ask(Dice& dice) {
  gchar* id = nullptr;
  const guint64 start = dice.one_in(3) ? GST_CLOCK_TIME_NONE : dice.roll(10) * GST_SECOND;
  const guint64 stop =
      start == GST_CLOCK_TIME_NONE || dice.one_in(3) ? GST_CLOCK_TIME_NONE : start + GST_SECOND;
  g_signal_emit_by_name(v_, "ask", dice.one_in(10) ? "" : "a cat", start, stop, &id);
  g_free(id);
}

// Every window that was made is analysed, passed by, failed, dropped for a reason or pending, at
// any moment.
void Round::expect_account(bool at_rest) const {
  GstStructure* stats = nullptr;
  g_object_get(v_, "stats", &stats, nullptr);
  const guint64 pending = number(stats, "pending");
  EXPECT_EQ(number(stats, "windows-submitted"),
            number(stats, "windows-completed") + number(stats, "windows-gated") +
                number(stats, "windows-failed") + number(stats, "windows-dropped") + pending)
      << "run " << seed_;
  if (at_rest) {
    EXPECT_EQ(pending, 0u) << "run " << seed_;
  }
  gst_structure_free(stats);
}

void Round::use(Dice dice, Hand& hand) {
  hand.act("to PLAYING", [&] { gst_element_set_state(pipeline_, GST_STATE_PLAYING); });
  for (int i = 0; i < kActions; ++i) {
    switch (dice.roll(8)) {
      case 0:
        hand.act("a change of state", [&] { change_state(dice); });
        break;
      case 1:
        hand.act("to PLAYING", [&] { gst_element_set_state(pipeline_, GST_STATE_PLAYING); });
        break;
      case 2:
      case 3:
        hand.act("a property", [&] { set_property(dice); });
        break;
      case 4:
        hand.act("ask", [&] { ask(dice); });
        break;
      case 5:
        hand.act("analyze-now", [&] { g_signal_emit_by_name(v_, "analyze-now"); });
        break;
      case 6:
        hand.act("stats", [&] { expect_account(false); });
        break;
      default:
        pause(dice.roll(30));
    }
  }
}

// The model fails and refuses now and then.
void arrange_engine(uint64_t seed) {
  Dice dice(seed * 7919);
  scripted::reset();
  scripted::answer_with(dice.one_in(2) ? "0.20-0.60" : "none");
  using scripted::Step;
  if (dice.one_in(4)) scripted::fail(Step::kAsk, {ErrorCode::kInternal, "it failed"}, 2);
  if (dice.one_in(6)) scripted::fail(Step::kEncode, {ErrorCode::kOutOfMemory, "too much"}, 1);
  if (dice.one_in(12)) scripted::fail(Step::kOpen, {ErrorCode::kDamaged, "broken"}, 1);
  scripted::room_for_partial_windows(dice.one_in(2));
}

TEST(RandomHand, BreaksNothing) {
  prepare();
  g_log_set_always_fatal(static_cast<GLogLevelFlags>(G_LOG_LEVEL_CRITICAL | G_LOG_LEVEL_ERROR));
  const auto end = Clock::now() + std::chrono::seconds(number_from("VIDI_HAND_SECONDS", 3));
  const long runs = number_from("VIDI_HAND_RUNS", -1);
  const auto first = static_cast<uint64_t>(number_from("VIDI_HAND_SEED", 1));
  uint64_t seed = first;
  for (; runs < 0 ? Clock::now() < end : seed < first + static_cast<uint64_t>(runs); ++seed) {
    arrange_engine(seed);
    Round(seed).play();
    if (HasFailure()) break;
  }
  std::printf("%llu runs, seeds %llu to %llu\n", static_cast<unsigned long long>(seed - first),
              static_cast<unsigned long long>(first), static_cast<unsigned long long>(seed - 1));
  EXPECT_EQ(scripted::n_open_sessions(), 0);
  EXPECT_EQ(scripted::n_partial_windows(), 0);
}

// Twelve elements share a model, which answers several of them in one pass and has memory for a few
// of their windows; each has a random hand of its own.
TEST(RandomHand, TwelveElementsOfOneModel) {
  prepare();
  g_log_set_always_fatal(static_cast<GLogLevelFlags>(G_LOG_LEVEL_CRITICAL | G_LOG_LEVEL_ERROR));
  const auto end = Clock::now() + std::chrono::seconds(number_from("VIDI_HAND_SECONDS", 3));
  auto seed = static_cast<uint64_t>(number_from("VIDI_HAND_SEED", 1));
  do {
    arrange_engine(seed);
    Dice dice(seed);
    scripted::passes_of_an_answer(1 + dice.roll(5));
    scripted::room_for_windows(dice.one_in(3) ? -1 : 2 + dice.roll(8));
    if (dice.one_in(3)) scripted::fail(scripted::Step::kPass, {ErrorCode::kOutOfMemory, "no"}, 3);
    std::vector<std::thread> threads;
    for (uint64_t i = 0; i < 12; ++i)
      threads.emplace_back([=] { Round(seed * 12 + i, kLimitOfMany).play(); });
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(scripted::n_encoded_windows(), 0);
    ++seed;
  } while (Clock::now() < end && !HasFailure());
  EXPECT_EQ(scripted::n_open_sessions(), 0);
  EXPECT_EQ(scripted::n_partial_windows(), 0);
}

}  // namespace
}  // namespace vidi::test
