// Pipelines that are not needed any more are stopped on a thread of their own: one whose disk or
// camera does not answer holds up nobody.
#pragma once

#include <gst/gst.h>

#include <chrono>
#include <functional>
#include <string>

void dispose(std::function<void()> end);  // that stops and frees something

// Takes the reference. `file` is deleted afterwards; empty = none.
void dispose(GstElement* pipeline, const std::string& file = "");

void wait_for_disposals(std::chrono::milliseconds longest);
