// The one place where exceptions end: functions of the API return Errors.
#pragma once

#include <c10/core/InferenceMode.h>
#include <c10/util/Exception.h>

#include <new>
#include <stdexcept>
#include <string>

#include "kernels/interruption.h"
#include "model/cancel.h"
#include "model/result.h"

namespace vidi {

inline std::string first_line(const std::string& text) { return text.substr(0, text.find('\n')); }

// CUDA's libraries have words of their own for it.
inline bool is_shortage(const std::string& what) {
  return what.find("out of memory") != std::string::npos ||
         what.find("ALLOC_FAILED") != std::string::npos;
}

// One sentence out of libtorch's several: "... Tried to allocate 20.00 GiB. GPU 0 has ...".
inline std::string shortage_text(const std::string& what) {
  constexpr char kTried[] = "Tried to allocate ";
  const size_t at = what.find(kTried);
  if (at == std::string::npos) return "the device ran out of memory";
  const size_t begin = at + sizeof kTried - 1, end = what.find_first_not_of("0123456789.", begin);
  const std::string unit = end == std::string::npos ? "" : what.substr(end, 4);
  return "the device ran out of memory: " + what.substr(begin, end - begin) + unit +
         " more were wanted";
}

// Whatever `body` throws becomes an Error.
template <class T, class Body>
Result<T> to_result(Body body) noexcept {
  try {
    c10::InferenceMode inference;
    return Result<T>(body());
  } catch (const EngineError& e) {
    return Error{e.code(), e.what()};
  } catch (const std::invalid_argument& e) {  // of kernels/
    return Error{ErrorCode::kBadInput, e.what()};
  } catch (const c10::OutOfMemoryError& e) {
    return Error{ErrorCode::kOutOfMemory, shortage_text(e.what_without_backtrace())};
  } catch (const c10::Error& e) {
    const std::string what = e.what_without_backtrace();
    if (is_shortage(what)) return Error{ErrorCode::kOutOfMemory, shortage_text(what)};
    return Error{ErrorCode::kInternal, first_line(what)};
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
Result<T> to_result(const Cancel& cancel, Body body) noexcept {
  return to_result<T>([&]() -> T {
    const Interruptible interruptible([&cancel] { cancel.check(); });
    return body();
  });
}

}  // namespace vidi
