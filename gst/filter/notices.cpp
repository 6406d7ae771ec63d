#include "gst/filter/notices.h"

#include <algorithm>

#include "gst/results/structures.h"

namespace vidi {
namespace {

constexpr gint64 kBetweenDropWarnings = 10 * G_USEC_PER_SEC;

struct GstError {
  GQuark domain;
  gint code;
};

GstError gst_error_of(ErrorCode code) {
  switch (code) {
    case ErrorCode::kNotFound:
      return {GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_NOT_FOUND};
    case ErrorCode::kUnreadable:
    case ErrorCode::kDamaged:
      return {GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_READ};
    case ErrorCode::kOutOfMemory:
    case ErrorCode::kOverLimit:
      return {GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_NO_SPACE_LEFT};
    case ErrorCode::kNoDevice:
      return {GST_LIBRARY_ERROR, GST_LIBRARY_ERROR_INIT};
    case ErrorCode::kUnsupported:
    case ErrorCode::kBadInput:
      return {GST_LIBRARY_ERROR, GST_LIBRARY_ERROR_SETTINGS};
    default:
      return {GST_LIBRARY_ERROR, GST_LIBRARY_ERROR_FAILED};
  }
}

}  // namespace

void Notices::start() {
  for (auto& said : said_) said = false;
  {
    std::lock_guard lock(refused_mutex_);
    refused_.clear();
  }
  last_drop_warning_ = 0;
  last_percent_ = -1;
}

void Notices::warn(const std::string& text, GstStructure* details) const {
  gst_element_message_full_with_details(element_, GST_MESSAGE_WARNING, GST_STREAM_ERROR,
                                        GST_STREAM_ERROR_FAILED, g_strdup(text.c_str()), nullptr,
                                        __FILE__, GST_FUNCTION, __LINE__, details);
}

void Notices::warn_once(Said which, const std::string& text) {
  if (!said_[which].exchange(true)) warn(text);
}

void Notices::warn_of_refusal(const std::string& text, const std::string& query_id,
                              const std::string& query) const {
  warn(text, gst_structure_new(VIDI_STRUCTURE_REFUSED, VIDI_FIELD_QUERY_ID, G_TYPE_STRING,
                               query_id.c_str(), VIDI_FIELD_QUERY, G_TYPE_STRING, query.c_str(),
                               nullptr));
}

void Notices::warn_of_question(const Question& question, const std::string& why) {
  {
    std::lock_guard lock(refused_mutex_);
    if (!refused_.insert(question.id + " " + question.text).second) return;
  }
  warn_of_refusal("query " + question.id + " is refused, the others are asked: " + why, question.id,
                  question.title);
}

void Notices::warn_of_drops(DropReason reason, const std::string& error, const Counters& counters) {
  const bool no_memory = reason == DropReason::kOutOfMemory;
  if (reason != DropReason::kOverload && !no_memory) return;
  const gint64 now = g_get_monotonic_time();
  gint64 last = last_drop_warning_;
  if ((last != 0 && now - last < kBetweenDropWarnings) ||
      !last_drop_warning_.compare_exchange_strong(last, now)) {
    return;
  }
  const std::string share = std::to_string(counters.windows_dropped()) + " of " +
                            std::to_string(counters.windows_submitted) +
                            " windows were dropped until now";
  warn(no_memory ? "there is no memory for a window, " + share + ": " + error
                 : "the model is slower than the stream: " + share);
}

void Notices::post_error(const Error& error, bool fatal) const {
  const GstError e = gst_error_of(error.code);
  gst_element_message_full(element_, fatal ? GST_MESSAGE_ERROR : GST_MESSAGE_WARNING, e.domain,
                           e.code, g_strdup(error.message.c_str()), nullptr, __FILE__, GST_FUNCTION,
                           __LINE__);
}

void Notices::refuse_caps_once(const std::string& text) {
  if (said_[kSaidCaps].exchange(true)) return;
  GST_ELEMENT_ERROR(element_, CORE, NEGOTIATION, ("%s", text.c_str()), (nullptr));
}

// GstMessageProgress has a field for the percent, and no function that sets it.
void Notices::post_progress(GstProgressType type, const std::string& text, int percent) const {
  GstMessage* message =
      gst_message_new_progress(GST_OBJECT(element_), type, "model-load", text.c_str());
  if (percent >= 0) {
    GstStructure* fields = gst_message_writable_structure(message);
    gst_structure_set(fields, "percent", G_TYPE_INT, percent, nullptr);
  }
  gst_element_post_message(element_, message);
}

void Notices::post_loaded(double fraction) {
  const int percent = static_cast<int>(fraction * 100);
  if (last_percent_.exchange(percent) == percent) return;
  post_progress(GST_PROGRESS_TYPE_CONTINUE, "Loading the model: " + std::to_string(percent) + " %",
                percent);
}

void Notices::post_qos(const AnalysisWindow& window, const Counters& counters) const {
  const SegmentOrigin& origin = origin_of(window);
  const guint64 start = std::max<int64_t>(0, window.start.count());
  GstMessage* message =
      gst_message_new_qos(GST_OBJECT(element_), origin.live,
                          gst_segment_to_running_time(&origin.segment, GST_FORMAT_TIME, start),
                          gst_segment_to_stream_time(&origin.segment, GST_FORMAT_TIME, start),
                          start, (window.stop - window.start).count());
  gst_message_set_qos_stats(message, GST_FORMAT_BUFFERS, counters.windows_completed,
                            counters.windows_dropped());
  gst_element_post_message(element_, message);
}

}  // namespace vidi
