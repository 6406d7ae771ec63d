// Writes a safetensors file piece by piece, so that a file of many GB needs no memory of its size.
// Torch-free.
//
// clang-format off
//   SafetensorsWriter writer(path, tensors, {});
//   for (const TensorToWrite& tensor : writer.order()) writer.append(bytes, size);   // any pieces, in this order
//   writer.finish();
// clang-format on
//
// The bytes go to a file beside `path`, which takes its name in finish(): nobody ever sees half a
// file.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "model/checkpoint/safetensors.h"

namespace vidi {

class SafetensorsWriter {
 public:
  // Writes the header. Throws EngineError: kBadInput (two tensors of one name, a negative side),
  // kUnreadable.
  SafetensorsWriter(const std::string& path, std::vector<TensorToWrite> tensors,
                    const std::map<std::string, std::string>& metadata);
  ~SafetensorsWriter();  // without finish(), removes what was written
  SafetensorsWriter(const SafetensorsWriter&) = delete;
  SafetensorsWriter& operator=(const SafetensorsWriter&) = delete;

  // The order in which the data is expected: wide dtypes first, so that every tensor is aligned to
  // its values.
  const std::vector<TensorToWrite>& order() const { return tensors_; }
  void append(const void* data, size_t size);
  void finish();

 private:
  void open();
  void write_all(const void* data, size_t size);
  [[noreturn]] void fail(int error_number) const;

  std::string path_, written_path_;
  std::vector<TensorToWrite> tensors_;
  int descriptor_ = -1;
  uint64_t data_left_ = 0;
};

}  // namespace vidi
