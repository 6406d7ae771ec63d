// vidi-ask --batch, from the command line to the exit status.
#pragma once

#include <string>

#include "examples/ask/arguments.h"

// `model`: the checkpoint folder.
int run_batch(const Arguments& arguments, const std::string& model);
