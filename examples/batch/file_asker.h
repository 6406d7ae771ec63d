// Who asks a model about the files of a batch: what the batch needs of vidi-ask.
#pragma once

#include <atomic>
#include <string>
#include <vector>

#include "examples/batch/batch_rows.h"
#include "examples/batch/forms.h"

struct FileQuestion {
  std::string uri, name;  // name: as the list has it, to be printed
  std::vector<std::string> queries;
};

struct FileEnd {
  enum class Status {
    kOk,
    kFailed,   // this file's fault
    kStopped,  // told to
    kBroken,   // the model's, or for want of memory: no file can be asked now
  };
  Status status = Status::kStopped;
  std::string error;  // a sentence without its subject
  FileFacts facts;
  std::vector<std::string> notes;  // worth a word to the user: "has no sound that can be decoded"
};

class FileAsker {
 public:
  virtual ~FileAsker() = default;
  // Loads the model in these forms, once: later calls return at once. `forms` becomes what `auto`
  // came to. Returns an empty string, or why there is no model. One thread at a time.
  virtual std::string load(Forms* forms, const std::atomic<bool>& stop) = 0;
  // After load(), from several threads. Comes back soon after `stop`.
  virtual FileEnd ask(const FileQuestion& question, const std::atomic<bool>& stop,
                      BatchRows* rows) = 0;
};
