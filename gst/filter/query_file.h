// Questions in a text file, one a line: what a command line and languages without GstValueArray can
// set.
#pragma once

#include <string>
#include <vector>

#include "model/result.h"

namespace vidi {

// UTF-8; blank lines and those that begin with # are left out, as are blanks around a question. At
// most 1 MiB. The error is a sentence that names the file and, of a bad line, its number.
Result<std::vector<std::string>> read_query_file(const std::string& path);

// The lines of a text, without blank ones and without blanks around them.
std::vector<std::string> lines_of(const std::string& text);

}  // namespace vidi
