// The options that vidi-ask and vidi-export have in common.
#pragma once

#include <glib.h>

#include <string>
#include <vector>

#include "examples/export/exports.h"

class ExportOptions {
 public:
  ExportOptions() = default;
  ~ExportOptions();
  ExportOptions(const ExportOptions&) = delete;
  ExportOptions& operator=(const ExportOptions&) = delete;

  // For GOption, which writes into this object.
  std::vector<GOptionEntry> entries();
  // Names of files are made after `film`, a path or URI. Returns an empty string, or what was
  // expected instead, with the option's name.
  std::string read(const std::string& film, ExportWishes* wishes) const;

 private:
  gchar** exports_ = nullptr;
  gchar *rate_ = nullptr, *first_code_ = nullptr, *clips_ = nullptr, *margin_ = nullptr;
  gboolean exact_ = FALSE;
};
