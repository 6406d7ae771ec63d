// The name of a file's answers: what was asked of what, by which model. Equal names, equal answers;
// so a name that is there need not be asked again.
#pragma once

#include <string>
#include <vector>

#include "examples/batch/forms.h"

std::string sha256(const std::string& bytes);  // 64 hexadecimal digits

// Of a checkpoint folder: its config.json, and names, sizes and times of the other files. Returns
// an empty string with `error`: why it cannot be told.
std::string model_stamp(const std::string& folder, std::string* error);

struct KeyParts {
  std::string uri, stamp;  // stamp: size and time of the file, or its ETag
  std::vector<std::string> queries;
  std::string settings;  // options that change answers
  Forms forms;
  std::string model;  // model_stamp()
};

std::string key_of(const KeyParts& parts);  // 20 hexadecimal digits
