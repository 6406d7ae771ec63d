// What one window over several devices takes beside one device, in one run: bench-model --split.
#pragma once

#include "tests/tools/model_bench.h"

namespace vidi {

// `a.open.device` is the list; one device is the first of it. Throws EngineError.
void bench_split(const Arguments& a);

}  // namespace vidi
