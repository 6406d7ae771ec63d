// Precompiled for tests of the element and its parts.
#ifndef VIDI_TESTS_PCH_GST_H_
#define VIDI_TESTS_PCH_GST_H_

#include <gst/gst.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#endif
