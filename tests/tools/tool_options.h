// What a benchmark is told on its command line: `--name value` pairs, and other words. --help
// prints how it is used; what is not known is one sentence and status 2.
#pragma once

#include <cstdio>
#include <cstdlib>
#include <map>
#include <string>
#include <vector>

namespace vidi {

using ToolOptions = std::map<std::string, std::string>;  // what may be given, with its default

// The first word of `usage` is the tool's name.
[[noreturn]] inline void refuse_options(const std::string& usage, const std::string& why) {
  const std::string tool = usage.substr(0, usage.find_first_of(" \n"));
  std::fprintf(stderr, "%s: %s; %s --help tells more\n", tool.c_str(), why.c_str(), tool.c_str());
  std::exit(2);
}

// Values are put into `options`. Returns the words that are no options, at most `most_words`.
inline std::vector<std::string> read_options(int argc, char** argv, const std::string& usage,
                                             ToolOptions& options, size_t most_words = 0) {
  std::vector<std::string> words;
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    if (word == "--help" || word == "-h") {
      std::printf("usage: %s", usage.c_str());
      std::exit(0);
    }
    if (word.starts_with("-")) {
      const auto known = options.find(word);
      if (known == options.end()) refuse_options(usage, "there is no option " + word);
      if (i + 1 == argc) refuse_options(usage, "a value is missing behind " + word);
      known->second = argv[++i];
    } else {
      words.push_back(word);
    }
  }
  if (words.size() > most_words) refuse_options(usage, "\"" + words.back() + "\" is too much");
  return words;
}

}  // namespace vidi
