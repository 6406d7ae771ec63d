// The one place where exceptions end: functions of the door return Errors.
#pragma once

#include <c10/core/InferenceMode.h>
#include <c10/util/Exception.h>

#include <new>
#include <string>

#include "kernels/interruption.h"
#include "model/cancel.h"
#include "model/result.h"

namespace vidi {

inline std::string first_line(const std::string& text) { return text.substr(0, text.find('\n')); }

// Whatever `body` throws becomes an Error.
template <class T, class Body>
Result<T> at_the_door(Body body) noexcept {
  try {
    c10::InferenceMode inference;
    return Result<T>(body());
  } catch (const EngineError& e) {
    return Error{e.code(), e.what()};
  } catch (const c10::OutOfMemoryError& e) {
    return Error{ErrorCode::kOutOfMemory, first_line(e.what_without_backtrace())};
  } catch (const c10::Error& e) {
    return Error{ErrorCode::kInternal, first_line(e.what_without_backtrace())};
  } catch (const std::bad_alloc&) {
    return Error{ErrorCode::kOutOfMemory, "the host ran out of memory"};
  } catch (const std::exception& e) {
    return Error{ErrorCode::kInternal, first_line(e.what())};
  } catch (...) {
    return Error{ErrorCode::kInternal, "an unknown exception"};
  }
}

// The same of work that `cancel` ends between two of its pieces (kernels/interruption.h).
template <class T, class Body>
Result<T> at_the_door(const Cancel& cancel, Body body) noexcept {
  return at_the_door<T>([&]() -> T {
    const Interruptible interruptible([&cancel] { cancel.check(); });
    return body();
  });
}

}  // namespace vidi
