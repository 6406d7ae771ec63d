#include "model/text/prompt.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "model/result.h"
#include "model/text/utf8.h"

namespace vidi {
namespace {

constexpr std::string_view kImage = "<image>";

// The questions that the published models were trained on.
constexpr std::string_view kQuestion15 =
    "During which time segments in the video can we see {query}?";
constexpr std::string_view kQuestion7b =
    "Given the frames from a video, answer the time range in percentage that corresponds to query "
    "text split by "
    "comma. Video length is: {duration} and text query is: {query}.";

std::string_view template_for(const PromptConfig& config, std::string_view task,
                              std::string_view given) {
  if (!given.empty()) return given;
  const auto own = config.prompts.find(std::string(task));
  if (own != config.prompts.end()) return own->second;
  if (task == "retrieval") return config.family == Family::kVidi15 ? kQuestion15 : kQuestion7b;
  throw EngineError(ErrorCode::kUnsupported,
                    "The task \"" + std::string(task) +
                        "\" needs a prompt of its own in the checkpoint's vidi_prompts or "
                        "as a prompt template, found neither.");
}

// Two decimals, never with the locale's comma.
std::string two_decimals(double value) {
  if (!std::isfinite(value)) {
    throw EngineError(ErrorCode::kBadInput,
                      "The window's length should be a finite number of seconds.");
  }
  char text[400];  // the largest double has 309 digits before the point
  const auto end = std::to_chars(text, text + sizeof text, value, std::chars_format::fixed, 2).ptr;
  return std::string(text, end);
}

// One pass, so that a query holding "{duration}" stays as it is.
std::string filled_in(std::string_view text, std::string_view query, std::string_view duration) {
  constexpr std::string_view kQuery = "{query}", kDuration = "{duration}";
  std::string filled;
  for (size_t at = 0; at < text.size();) {
    const std::string_view rest = text.substr(at);
    const bool is_query = rest.starts_with(kQuery), is_duration = rest.starts_with(kDuration);
    if (is_query) filled += query;
    if (is_duration) filled += duration;
    if (!is_query && !is_duration) filled += rest[0];
    at += is_query ? kQuery.size() : is_duration ? kDuration.size() : 1;
  }
  return filled;
}

// The family's chat form of one user turn, without bos.
std::string conversation(const PromptConfig& config, std::string_view question) {
  const std::string turn = std::string(kImage) + "\n" + std::string(question);
  if (config.family == Family::kVidi15) {
    return "<start_of_turn>user\n" + std::string(trim(turn)) +
           "<end_of_turn>\n<start_of_turn>model\n";
  }
  return "[INST] " + turn + (config.blank_before_inst_end ? " [/INST]" : "[/INST]");
}

std::string without(std::string_view text, std::string_view removed) {
  std::string kept;
  for (size_t at = 0; at < text.size();) {
    const size_t found = std::min(text.find(removed, at), text.size());
    kept += text.substr(at, found - at);
    at = found + removed.size();
  }
  return kept;
}

}  // namespace

std::string make_question(const PromptConfig& config, std::string_view task,
                          std::string_view prompt_template, std::string_view query,
                          double duration_s) {
  const std::string_view text = template_for(config, task, prompt_template);
  if (query.ends_with('.')) query.remove_suffix(1);
  return filled_in(text, query, two_decimals(duration_s));
}

std::vector<int> prompt_ids(const PromptConfig& config, const Tokenizer& tokenizer,
                            std::string_view question) {
  const std::string whole = without(conversation(config, question), tokenizer.bos_text());
  std::vector<int> ids;
  for (size_t begin = 0; begin <= whole.size();) {
    const size_t end = std::min(whole.find(kImage, begin), whole.size());
    const std::vector<int> part =
        tokenizer.encode(std::string_view(whole).substr(begin, end - begin));
    // Each part comes with a bos; only the first is kept.
    ids.insert(ids.end(), part.begin() + (ids.empty() ? 0 : 1), part.end());
    begin = end + kImage.size();
  }
  return ids;
}

void check_query(const Tokenizer& tokenizer, std::string_view query) {
  if (!is_utf8(query))
    throw EngineError(ErrorCode::kBadInput, "A query should be UTF-8 text, found other bytes.");
  std::string reserved = tokenizer.reserved_text_in(query);
  if (query.find(kImage) != query.npos) reserved = kImage;
  if (reserved.empty()) return;
  throw EngineError(ErrorCode::kBadInput, "A query must not hold \"" + reserved +
                                              "\": the model's prompt uses that text itself.");
}

}  // namespace vidi
