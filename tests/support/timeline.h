// What the tests of time share: which windows there were, and what the model saw of them.
#pragma once

#include <gtest/gtest.h>

#include <ostream>
#include <string>
#include <vector>

#include "tests/support/bench.h"

namespace vidi::test {

using Colours = std::vector<uint32_t>;

struct Timeline : ::testing::Test {
  void SetUp() override { prepare(); }
};

struct Range {
  guint64 start, stop;
  bool operator==(const Range&) const = default;
};
inline std::ostream& operator<<(std::ostream& out, const Range& r) {
  return out << r.start / GST_MSECOND << ".." << r.stop / GST_MSECOND << " ms";
}

// The analysed windows, in order.
inline std::vector<Range> windows(Bench& bench) {
  std::vector<Range> found;
  for (const GstStructure* s : bench.structures("vidi/window")) {
    found.push_back({number(s, "window-start"), number(s, "window-stop")});
  }
  return found;
}

inline std::vector<bool> partial_flags(Bench& bench) {
  std::vector<bool> found;
  for (const GstStructure* s : bench.structures("vidi/window")) {
    found.push_back(flag(s, "partial-window"));
  }
  return found;
}

inline Range seconds(double start, double stop) {
  return {static_cast<guint64>(start * 1e9), static_cast<guint64>(stop * 1e9)};
}

inline Strings warnings(Bench& bench) {
  Strings found;
  for (GstMessage* m : bench.messages(GST_MESSAGE_WARNING)) found.push_back(complaint_of(m).text);
  return found;
}

// Remembers the pictures of every window, as the model saw them. Read after EOS.
struct Seen {
  std::vector<Colours> windows;
  Seen() {
    scripted::answer_with([this](const Query&, const scripted::SeenWindow& window) {
      windows.push_back(window.frames);
      return std::string("none");
    });
  }
};

}  // namespace vidi::test
