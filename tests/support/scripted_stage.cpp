#include "tests/support/scripted_stage.h"

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <utility>

namespace vidi::scripted {

std::string default_answer() {
  const char* told = std::getenv("VIDI_SCRIPTED_ANSWER");
  return told ? told : "none";
}

namespace {

bool holds(const std::vector<Query>& queries, const char* text) {
  return std::any_of(queries.begin(), queries.end(), [&](const Query& query) {
    return query.text.find(text) != std::string::npos;
  });
}

// Busy for so long, as a GPU is: the processor is free meanwhile.
void take_told_time(const std::vector<Query>& queries, const Cancel& cancel) {
  const char* slow = std::getenv("VIDI_SCRIPTED_SLOW");
  if (slow && !holds(queries, slow)) return;
  const char* told = std::getenv("VIDI_SCRIPTED_SECONDS");
  const auto end = std::chrono::steady_clock::now() +
                   std::chrono::duration<double>(told ? std::strtod(told, nullptr) : 0);
  std::mutex alone;
  std::unique_lock lock(alone);
  std::condition_variable never;
  while (std::chrono::steady_clock::now() < end) {
    cancel.check();
    never.wait_until(lock, std::min(end, std::chrono::steady_clock::now() +
                                             std::chrono::duration<double>(0.02)));
  }
}

void log_ask() {
  const char* told = std::getenv("VIDI_SCRIPTED_LOG");
  FILE* log = told ? fopen(told, "a") : nullptr;
  if (!log) return;
  fputs("ask\n", log);  // one write: lines of several processes stay whole
  fclose(log);
}

void crash_if_told(const std::vector<Query>& queries) {
  const char* told = std::getenv("VIDI_SCRIPTED_CRASH");
  if (told && holds(queries, told)) raise(SIGSEGV);
}

size_t number(Step step) { return static_cast<size_t>(step); }

void wait_while_held(Step step, const Cancel& cancel) {
  std::unique_lock lock(stage().mutex);
  while (stage().script.held[number(step)]) {
    cancel.check();
    stage().changed.wait_for(lock, std::chrono::milliseconds(1));
  }
  cancel.check();
}

void fail_if_told(Step step) {
  std::lock_guard lock(stage().mutex);
  Failure& failure = stage().script.failures[number(step)];
  if (failure.times == 0) return;
  if (failure.times > 0) --failure.times;
  throw EngineError(failure.error.code, failure.error.message);
}

template <class Change>
void change(Change what) {
  locked([&](Stage& s) {
    what(s);
    return 0;
  });
  stage().changed.notify_all();
}

}  // namespace

void read_as_told(const std::vector<Query>& queries, const Cancel& cancel) {
  log_ask();
  crash_if_told(queries);
  take_told_time(queries, cancel);
}

// Never destroyed: a model's thread may still be here while the process ends.
Stage& stage() {
  static Stage& the_stage = *new Stage;
  return the_stage;
}

void refuse(const std::string& message) { throw EngineError(ErrorCode::kBadInput, message); }

void count_entry(Step step) {
  locked([&](Stage& s) { return ++s.record.entered[number(step)]; });
  stage().changed.notify_all();
}

void act(Step step, const Cancel& cancel) {
  wait_while_held(step, cancel);
  fail_if_told(step);
}

#pragma GCC visibility push(default)

void reset() {
  change([](Stage& s) {
    s.script = Script();
    s.record = Record();
  });
}

void answer_with(AnswerFn fn) {
  change([&](Stage& s) { s.script.answer = std::move(fn); });
}
void answer_with(const std::string& text) {
  answer_with([text](const Query&, const SeenWindow&) { return text; });
}
void set_info(const ModelInfo& info) {
  change([&](Stage& s) { s.script.info = info; });
}
void set_picture_side(int side) {
  change([&](Stage& s) { s.script.side = side; });
}
void set_frame_rate(const Result<double>& rate) {
  change([&](Stage& s) { s.script.frame_rate = rate; });
}
void shrink_with(ShrinkFn fn) {
  change([&](Stage& s) { s.script.shrink = std::move(fn); });
}
void fail(Step step, const Error& error, int times) {
  change([&](Stage& s) { s.script.failures[number(step)] = {error, times}; });
}
void confidence(double value) {
  change([&](Stage& s) { s.script.confidence = value; });
}
void room_for_partial_windows(bool on) {
  change([&](Stage& s) { s.script.room = on; });
}
void frames_per_piece(size_t n) {
  change([&](Stage& s) { s.script.frames_per_piece = n; });
}
void wants_all_features(bool on) {
  change([&](Stage& s) { s.script.wants_all_features = on; });
}
void passes_of_an_answer(int n) {
  change([&](Stage& s) { s.script.passes = n; });
}
void most_together(int n) {
  change([&](Stage& s) { s.script.most_together = n; });
}
void room_for_windows(int n) {
  change([&](Stage& s) { s.script.most_encoded = n; });
}
void cuda_devices(int n) {
  change([&](Stage& s) { s.script.n_cuda_devices = n; });
}
void break_device(const std::string& name) {
  change([&](Stage& s) { s.script.broken_device = name; });
}
int most_pictures_in_a_call() {
  return locked([](Stage& s) { return s.record.most_pictures; });
}
int most_sessions_at_work() {
  return locked([](Stage& s) { return s.record.most_at_work; });
}
void truncate_answers(bool on) {
  change([&](Stage& s) { s.script.truncate = on; });
}
void hold(Step step) {
  change([&](Stage& s) { s.script.held[number(step)] = true; });
}
void release(Step step) {
  change([&](Stage& s) { s.script.held[number(step)] = false; });
}

bool wait_for(Step step, int n) {
  std::unique_lock lock(stage().mutex);
  return stage().changed.wait_for(lock, std::chrono::seconds(20),
                                  [&] { return stage().record.entered[number(step)] >= n; });
}

int count(Step step) {
  return locked([&](Stage& s) { return s.record.entered[number(step)]; });
}
int n_cancelled() {
  return locked([](Stage& s) { return s.record.cancelled; });
}
int n_open_sessions() {
  return locked([](Stage& s) { return s.open_sessions; });
}
int n_partial_windows() {
  return locked([](Stage& s) { return s.partial_windows; });
}
int n_encoded_windows() {
  return locked([](Stage& s) { return s.encoded; });
}
int most_encoded_windows() {
  return locked([](Stage& s) { return s.record.most_encoded; });
}
int most_answered_together() {
  return locked([](Stage& s) { return s.record.most_together; });
}
int n_features() {
  return locked([](Stage& s) { return s.features; });
}
int most_features() {
  return locked([](Stage& s) { return s.record.most_features; });
}
WindowSize last_window_size() {
  return locked([](Stage& s) { return s.record.window_size; });
}
int n_frames_seen() {
  return locked([](Stage& s) { return s.record.frames_seen; });
}
int n_caches_freed() {
  return locked([](Stage& s) { return s.record.caches_freed; });
}
std::vector<Query> queries() {
  return locked([](Stage& s) { return s.record.queries; });
}
int max_new_tokens() {
  return locked([](Stage& s) { return s.record.max_new_tokens; });
}
SeenWindow last_window() {
  return locked([](Stage& s) { return s.record.window; });
}
double reported_progress() {
  return locked([](Stage& s) { return s.record.progress; });
}
uint64_t memory_limit() {
  return locked([](Stage& s) { return s.record.memory_limit; });
}

#pragma GCC visibility pop

}  // namespace vidi::scripted
