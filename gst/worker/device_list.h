// Property `device`: one device, or several with a comma between them. No GStreamer.
#pragma once

#include <string>
#include <vector>

#include "model/result.h"

namespace vidi {

// "cuda:0,cuda:1" as its entries, "cuda:all" as all of `n_cuda` devices; one may be named twice,
// and is two then. A single name is the engine's to judge, and is handed on as it is. kBadInput: an
// empty entry, another word than cpu, cuda or cuda:N in a list, too many; kNoDevice: a number that
// there is no device of.
Result<std::vector<std::string>> devices_of(const std::string& list, int n_cuda);

// All of them as the one device that they are where each window is split over them; a single one as
// it is.
std::vector<std::string> joined(const std::vector<std::string>& devices);

// Whether a part of it may be a GPU, or the CPU.
bool may_be_cuda(const std::string& list);
bool may_be_cpu(const std::string& list);
// Whether a device is in both lists.
bool name_one_device(const std::string& list, const std::string& other);
// The first GPU that it names, where there is one: that pictures in GPU memory are taken from. The
// list itself, when it is a single name.
std::string picture_device(const std::string& list);

}  // namespace vidi
