// Text for a terminal.
#pragma once

#include <gst/gst.h>

#include <string>

// What may leave the program: valid UTF-8 without control characters, which a model's answer or a
// file's name may hold, and without_credentials().
std::string printable(const std::string& text);

// The same text, in which no URI has a user part or a password among its parameters: a camera's
// address is printed, and GStreamer quotes it in its errors.
std::string without_credentials(const std::string& text);

// Where the model of a vidi/model runs: "on cuda:0 (fp16)", with why not on a GPU, or not with
// our kernels.
std::string place_text(const GstStructure* model);

// A sentence of the element with the names that its properties have on our command lines.
std::string in_options(std::string text);

bool is_blank(const std::string& text);  // nothing but white space, of any alphabet

size_t columns_of(const std::string& text);  // that printable text takes on a terminal
std::string padded(const std::string& text, size_t n_columns);
std::string shortened(const std::string& text, size_t n_columns);  // "..." at the end if it is cut

std::string tenths_text(guint64 ns);   // 1:02.5, 1:00:02.5
std::string seconds_text(guint64 ns);  // 1:02, 1:00:02
