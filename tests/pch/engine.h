// Precompiled for tests of the engine.
#ifndef VIDI_TESTS_PCH_ENGINE_H_
#define VIDI_TESTS_PCH_ENGINE_H_

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "tests/support/aten.h"

#endif
