// The model of a batch, loaded once, and one pipeline a file in front of it.
#pragma once

#include <gst/gst.h>

#include <atomic>
#include <string>

#include "examples/ask/arguments.h"
#include "examples/ask/asker.h"
#include "examples/batch/file_asker.h"

class BatchAsker final : public FileAsker {
 public:
  // `model`: the checkpoint folder.
  BatchAsker(const Arguments& arguments, const std::string& model);
  ~BatchAsker() override;
  BatchAsker(const BatchAsker&) = delete;
  BatchAsker& operator=(const BatchAsker&) = delete;

  std::string load(Forms* forms, const std::atomic<bool>& stop) override;
  FileEnd ask(const FileQuestion& question, const std::atomic<bool>& stop,
              BatchRows* rows) override;
  // Where and how it runs, in words; empty before it is loaded.
  const std::string& place() const { return place_; }

 private:
  std::string wait_until_ready(const std::atomic<bool>& stop);

  Arguments arguments_;  // of each file, but for the file and its questions
  const std::string model_;
  // An element without a stream, which keeps the model: those of the files share it.
  GstElement* holder_ = nullptr;
  Forms forms_;  // what it came to
  std::string device_, place_;
};

// Options that change answers, as a part of a file's key.
std::string answer_settings(const Arguments& arguments);
