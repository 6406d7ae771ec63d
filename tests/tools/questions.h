// Questions for benchmarks, as the property `queries` takes them inside a pipeline's text.
#pragma once

#include <string>
#include <vector>

inline std::string question_list(int n) {
  const std::vector<std::string> things = {"a dog",  "a phone", "a car",  "a cat",   "a guitar",
                                           "a boat", "a horse", "a ball", "a siren", "a house"};
  std::string list;
  for (int i = 0; i < n; ++i) {
    list += (i > 0 ? "," : "") + ("\\\"" + things[static_cast<size_t>(i) % things.size()] + "\\\"");
  }
  return "\"<" + list + ">\"";
}
