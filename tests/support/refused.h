// What the API must answer to bad input.
#pragma once

#include <gtest/gtest.h>

#include <string>

#include "model/result.h"

namespace vidi {

// An error of this kind in one line that has these words.
template <class T>
void expect_refused(const Result<T>& result, ErrorCode code, const std::string& words) {
  ASSERT_FALSE(result) << words;
  EXPECT_EQ(result.error().code, code) << result.error().message;
  EXPECT_NE(result.error().message.find(words), std::string::npos) << result.error().message;
  EXPECT_EQ(result.error().message.find('\n'), std::string::npos);
}

}  // namespace vidi
