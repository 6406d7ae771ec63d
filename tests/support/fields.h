// Fields of a structure, for expectations; a missing field fails the test.
#pragma once

#include <gst/gst.h>

#include <map>
#include <string>
#include <vector>

namespace vidi::test {

guint64 number(const GstStructure* s, const char* field);  // of 32 or 64 bits
guint small_number(const GstStructure* s, const char* field);
guint64 large_number(const GstStructure* s, const char* field);
double real(const GstStructure* s, const char* field);
bool flag(const GstStructure* s, const char* field);
std::string text(const GstStructure* s, const char* field);
std::vector<std::string> texts(const GstStructure* s, const char* field);  // of an array
std::map<std::string, GType> types_of_fields(const GstStructure* s);

}  // namespace vidi::test
