#include "examples/common/hit.h"

#include <algorithm>

std::vector<Hit> by_start(std::vector<Hit> hits) {
  std::stable_sort(hits.begin(), hits.end(),
                   [](const Hit& a, const Hit& b) { return a.start < b.start; });
  return hits;
}
