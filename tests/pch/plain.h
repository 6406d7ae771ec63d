// Precompiled for tests that need neither GStreamer nor libtorch.
#ifndef VIDI_TESTS_PCH_PLAIN_H_
#define VIDI_TESTS_PCH_PLAIN_H_

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#endif
