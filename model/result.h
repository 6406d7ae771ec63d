// What a function of the API returns: a value, or an error a person can act on. Torch-free.
//
// Inside model/ and kernels/ a failure is thrown as EngineError; Session turns it into a Result at
// the API.
#pragma once

#include <stdexcept>
#include <string>
#include <utility>
#include <variant>

namespace vidi {

enum class ErrorCode {
  kNotFound,     // a folder or file is not there
  kUnreadable,   // it is there, but reading it fails
  kDamaged,      // its content contradicts itself or the model
  kUnsupported,  // a valid thing that this engine does not run
  kBadInput,     // the caller's frames, samples, queries or options
  kNoDevice,     // the device asked for is not usable
  kOutOfMemory,  // a second attempt may do, with less at once or when something was freed
  kOverLimit,    // more than memory-limit allows, whatever is freed
  kCancelled,
  kInternal,
};

// `message` is one sentence: what, expected, found.
struct Error {
  ErrorCode code = ErrorCode::kInternal;
  std::string message;
};

class EngineError : public std::runtime_error {
 public:
  EngineError(ErrorCode code, const std::string& message)
      : std::runtime_error(message), code_(code) {}
  ErrorCode code() const { return code_; }

 private:
  ErrorCode code_;
};

// Either a T or an Error. Test with `if (result)`, then `*result`, else `result.error()`.
template <class T>
class Result {
 public:
  Result(T value) : state_(std::move(value)) {}
  Result(Error error) : state_(std::move(error)) {}
  explicit operator bool() const { return std::holds_alternative<T>(state_); }
  T& operator*() { return std::get<T>(state_); }
  const T& operator*() const { return std::get<T>(state_); }
  T* operator->() { return &std::get<T>(state_); }
  const T* operator->() const { return &std::get<T>(state_); }
  const Error& error() const { return std::get<Error>(state_); }

 private:
  std::variant<T, Error> state_;
};

}  // namespace vidi
