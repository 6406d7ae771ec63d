#include "tests/support/windows.h"

#include <cmath>
#include <memory>
#include <mutex>

namespace vidi::test {

std::ostream& operator<<(std::ostream& out, const Range& r) {
  return out << r.start / GST_MSECOND << ".." << r.stop / GST_MSECOND << " ms";
}

Range seconds(double start, double stop) {
  return {static_cast<guint64>(std::llround(start * 1e9)),
          static_cast<guint64>(std::llround(stop * 1e9))};
}

std::vector<Range> in_seconds(std::initializer_list<std::pair<double, double>> ranges) {
  std::vector<Range> found;
  for (const auto& [start, stop] : ranges) found.push_back(seconds(start, stop));
  return found;
}

std::vector<Range> windows(Messages& messages) {
  std::vector<Range> found;
  for (const GstStructure* s : messages.structures("vidi/window")) {
    found.push_back({number(s, "window-start"), number(s, "window-stop")});
  }
  return found;
}

std::vector<bool> partial_flags(Messages& messages) {
  std::vector<bool> found;
  for (const GstStructure* s : messages.structures("vidi/window")) {
    found.push_back(flag(s, "partial-window"));
  }
  return found;
}

bool wait_for_windows(Messages& messages, size_t n) {
  return eventually([&] { return windows(messages).size() >= n; });
}

std::vector<std::string> warnings(Messages& messages) {
  std::vector<std::string> found;
  for (GstMessage* m : messages.messages(GST_MESSAGE_WARNING)) {
    found.push_back(complaint_of(m).text);
  }
  return found;
}

SeenWindows collect_windows() {
  struct Seen {
    std::mutex mutex;
    std::vector<scripted::SeenWindow> windows;
  };
  auto seen = std::make_shared<Seen>();
  scripted::answer_with([seen](const Query&, const scripted::SeenWindow& window) {
    std::lock_guard lock(seen->mutex);
    seen->windows.push_back(window);
    return std::string("none");
  });
  return [seen] {
    std::lock_guard lock(seen->mutex);
    return seen->windows;
  };
}

std::vector<Colours> pictures_of(const std::vector<scripted::SeenWindow>& windows) {
  std::vector<Colours> found;
  for (const scripted::SeenWindow& window : windows) found.push_back(window.frames);
  return found;
}

}  // namespace vidi::test
