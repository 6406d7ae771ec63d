#include "examples/ask/batch.h"

#include <cstdio>
#include <filesystem>
#include <memory>

#include "examples/ask/batch_asker.h"
#include "examples/ask/progress_bar.h"
#include "examples/batch/batch_key.h"
#include "examples/batch/batch_run.h"
#include "examples/common/interruption.h"
#include "examples/common/output.h"
#include "examples/common/text.h"

namespace {

constexpr int kOk = 0, kFailed = 1, kSomeFailed = 3, kInterrupted = 130;
constexpr size_t kStampDigits = 8;

// "Vidi1.5-9B@1a2b3c4d": the folder, and what tells one content of it from another.
std::string model_name(const std::string& model, const std::string& stamp) {
  const auto folder = std::filesystem::path(model).lexically_normal();
  const auto name = folder.has_filename() ? folder.filename() : folder.parent_path().filename();
  return printable(name.string()) + "@" + stamp.substr(0, kStampDigits);
}

int complain(const std::string& sentence) {
  say_on_stderr("vidi-ask", sentence + (sentence.ends_with('.') ? "" : "."));
  return kFailed;
}

BatchVoice voice_of(ProgressBar& bar) {
  return {[&bar](const std::string& line) { return bar.clear(), print(line); },
          [] { return !has_lost_reader(); },
          [&bar](const std::string& sentence) { bar.say(sentence); },
          [&bar](double fraction, const std::string& counts) {
            bar.show("Asking", std::max(0.0, fraction), counts);
          }};
}

int status_of(const BatchRun& run, const std::string& error, bool is_strict) {
  if (run.is_unread() || (lost_output() && lost_output()->reader_left)) end_without_reader();
  if (lost_output()) return complain(lost_output()->sentence);
  if (!error.empty()) return complain(error);
  if (interrupted)
    return complain("stopped before the end; started again it goes on"), kInterrupted;
  return is_strict && run.summary().n_failed() > 0 ? kSomeFailed : kOk;
}

}  // namespace

int run_batch(const Arguments& arguments, const std::string& model) {
  std::string error;
  BatchQuestions questions{
      arguments.queries,          !arguments.highlights(),
      answer_settings(arguments), "",
      model_stamp(model, &error), {arguments.precision, arguments.weights, arguments.keys}};
  if (!error.empty()) return complain(error);
  questions.model_name = model_name(model, questions.model_stamp);
  ProgressBar bar(arguments.quiet);
  auto asker = std::make_unique<BatchAsker>(arguments, model);
  auto run =
      std::make_unique<BatchRun>(arguments.batch, questions, *asker, voice_of(bar), interrupted);
  error = run->run();
  bar.clear();
  if (!arguments.quiet) std::fputs(run->summary().text().c_str(), stderr);
  const int status = status_of(*run, error, arguments.batch.strict);
  if (run->is_stuck()) run.release(), asker.release();  // NOLINT: a thread is still in them
  return status;
}
