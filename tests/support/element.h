// What the element's tests share: a pipeline around vidifilter with the scripted engine behind it.
//
// Nothing here waits by time alone: every wait is for a message, a call of the engine or a buffer,
// with a limit after which the test fails.
#pragma once

#include <gst/gst.h>
#include <gtest/gtest.h>

#include <functional>
#include <future>
#include <string>
#include <vector>

#include "tests/support/fields.h"
#include "tests/support/scripted_engine.h"

namespace vidi::test {

inline constexpr GstClockTime kLimit = 60 * GST_SECOND;  // longer than any busy machine takes

// gst_init, the plugin of this build, and the scripted engine reset and chosen.
void prepare();

struct ElementTest : ::testing::Test {
  void SetUp() override { prepare(); }
};

bool is_installed(const std::string& factory);

// What was posted on a bus. Every message that was looked at is kept in order.
class Messages {
 public:
  Messages() = default;
  Messages(const Messages&) = delete;
  ~Messages();
  // Reads messages until one of this type (of any when 0) fulfils `good`; null when the limit
  // passes or, unless an ERROR is waited for, when an ERROR comes (which is then reported as a test
  // failure).
  GstMessage* wait_message(GstMessageType type, const std::function<bool(GstMessage*)>& good = {});
  bool wait_eos() { return wait_message(GST_MESSAGE_EOS) != nullptr; }
  // Waits for an element message of this name, e.g. "vidi/result"; borrowed structure.
  const GstStructure* wait_structure(const std::string& name,
                                     const std::function<bool(const GstStructure*)>& good = {});
  // All structures of this name among the messages that were read, and those that wait now.
  std::vector<const GstStructure*> structures(const std::string& name);
  std::vector<GstMessage*> messages(GstMessageType type);  // likewise
  std::string error_text();                                // of the first ERROR read, "" if none

 protected:
  GstBus* bus_ = nullptr;  // owned

 private:
  void read_waiting();
  std::vector<GstMessage*> read_;
};

// A pipeline from a gst-launch description, also of one element; the element in it is named "v".
// Goes to NULL and is freed with this object.
class Pipeline : public Messages {
 public:
  explicit Pipeline(const std::string& description);
  ~Pipeline();
  GstElement* get() const { return pipeline_; }
  GstElement* v() const { return element("v"); }
  GstElement* element(const char* name) const;  // borrowed; the pipeline owns it

  // Asks for a state and waits until it is reached (async) - false on failure.
  bool to(GstState state);

 private:
  GstElement* pipeline_ = nullptr;
};

// A call on a thread of its own, since it may block. Whoever ends it holds the reason; when nobody
// does in time, the test fails and the scripted engine lets go of everything.
class Background {
 public:
  explicit Background(std::function<void()> call);
  ~Background() { ended(); }
  bool running() const;
  bool ended();  // waits for the end, with the limit

 private:
  std::future<void> end_;
};

// Looks again and again until `holds`, for what tells nobody that it changed; false after the
// limit.
bool eventually(const std::function<bool()>& holds);

// Of a WARNING or an ERROR.
struct Complaint {
  GQuark domain = 0;
  int code = 0;
  std::string text;
};
Complaint complaint_of(GstMessage* message);

}  // namespace vidi::test
