#include "gst/filter/requests.h"

#include <memory>
#include <utility>

namespace vidi {

std::string Requests::ask(const char* query, guint64 start, guint64 stop) {
  if (!query || !*query || !g_utf8_validate(query, -1, nullptr)) {
    notices_.warn_of_refusal("ask: expected a question in UTF-8, found an empty or broken one");
    return "";
  }
  const bool open_end = stop == GST_CLOCK_TIME_NONE;
  const Time from(start == GST_CLOCK_TIME_NONE ? 0 : start);
  const Time to = open_end ? kForever : Time(stop);
  const std::string id = "ask-" + std::to_string(++n_asked_);

  auto plan = std::make_shared<AskPlan>(*settings_.now()->plan(false));
  plan->task = "retrieval", plan->ranked = false, plan->merge = false;
  plan->questions = {{id, query, query}};
  std::shared_ptr<AnalysisWindow> window;
  if (start != GST_CLOCK_TIME_NONE && !open_end && !client_.covers(from, to)) {
    window = feed_.snapshot(from, to);
  }
  const ModelClient::Asked asked = client_.ask(plan, from, to, std::move(window));
  if (asked == ModelClient::Asked::kYes) return id;
  if (asked == ModelClient::Asked::kTooMany) {
    notices_.warn_of_refusal(
        "ask: too many questions wait for their answers, expected fewer at a time");
    return "";
  }
  if (asked == ModelClient::Asked::kGaveWay) {
    notices_.warn_of_refusal(
        "ask: the window of the time that was asked about is kept no longer: its memory was needed "
        "for later windows, expected a time in a later one");
    return "";
  }
  notices_.warn_of_refusal(
      "ask: nothing is kept of the time that was asked about, expected a time in the last "
      "analysed window or in the pictures that are kept for the next");
  return "";
}

}  // namespace vidi
