// The golden cases in tests/data/golden, and how a run of ours is compared with them.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "tests/support/case.h"

namespace vidi {

struct GoldenCase {
  std::string set, name;        // "vidi15", "base"
  std::string checkpoint;       // folder
  std::string input, expected;  // files
};

// All cases of all sets, sorted.
std::vector<GoldenCase> golden_cases();

// Largest difference of a stage as a fraction of the expected values' rms, over the values that the
// golden file holds.
struct StageError {
  std::string stage;
  double relative = 0;
  std::string problem;  // shape, missing, extra, not finite: "" when there is only a difference
};
std::vector<StageError> compare_stages(const std::string& expected_path, const Stages& actual);

// The steps of a case in which both ids agree, and the gap between the two best expected logits at
// the first that differs.
struct IdAgreement {
  size_t n_same = 0, n_expected = 0;
  double margin_at_difference = 0;
};
IdAgreement compare_ids(const std::string& expected_path, const Stages& actual);

}  // namespace vidi
