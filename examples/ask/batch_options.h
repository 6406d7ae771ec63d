// The options of vidi-ask --batch.
#pragma once

#include <glib.h>

#include <string>
#include <vector>

#include "examples/batch/batch_wishes.h"

struct Arguments;

class BatchOptions {
 public:
  BatchOptions() = default;
  ~BatchOptions();
  BatchOptions(const BatchOptions&) = delete;
  BatchOptions& operator=(const BatchOptions&) = delete;

  // For GOption, which writes into this object.
  std::vector<GOptionEntry> entries();
  // Returns an empty string, or what was expected instead, with the option's name.
  std::string read(BatchWishes* wishes) const;

 private:
  gchar *list_ = nullptr, *out_ = nullptr, *shard_ = nullptr, *timeout_ = nullptr;
  gint jobs_ = 2;
  gboolean retries_failed_ = FALSE, strict_ = FALSE;
};

// What a batch cannot do of the rest of the command line; empty when all is well.
std::string complaint_of_batch(const Arguments& arguments);
