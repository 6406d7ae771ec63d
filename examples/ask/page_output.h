// The page of --html: what was found, put together for examples/page, and written.
#pragma once

#include <atomic>
#include <string>

#include "examples/ask/arguments.h"
#include "examples/ask/asker.h"
#include "examples/export/media_facts.h"

// After watch_file(), also one that ended early: then the page says that it is not complete. Makes
// the copy of --html-embed, until `interrupted`. Returns an empty string, or what went wrong; where
// it was the copy alone, the page is written without it.
std::string write_page(const Arguments& arguments, const MediaFacts& film, Asker& asker,
                       const std::atomic<bool>& interrupted);
