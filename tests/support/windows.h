// Which windows there were, and what the model saw of them.
#pragma once

#include <functional>
#include <initializer_list>
#include <ostream>
#include <string>
#include <vector>

#include "tests/support/element.h"

namespace vidi::test {

using Colours = std::vector<uint32_t>;

struct Range {
  guint64 start, stop;
  bool operator==(const Range&) const = default;
};
std::ostream& operator<<(std::ostream& out, const Range& range);
Range seconds(double start, double stop);
std::vector<Range> in_seconds(std::initializer_list<std::pair<double, double>> ranges);

// The analysed windows, in order.
std::vector<Range> windows(Messages& messages);
std::vector<bool> partial_flags(Messages& messages);
bool wait_for_windows(Messages& messages, size_t n);  // until so many were analysed
std::vector<std::string> warnings(Messages& messages);

// Every window that is asked about, as the engine sees it. Answers "none".
using SeenWindows = std::function<std::vector<scripted::SeenWindow>()>;
SeenWindows collect_windows();
std::vector<Colours> pictures_of(const std::vector<scripted::SeenWindow>& windows);

}  // namespace vidi::test
