// Questions about any number of windows that are answered together: who waits for a row, who has
// one, who is done, and what becomes of them when memory runs out. One thread at a time; throws.
#pragma once

#include <cstdint>
#include <list>
#include <memory>
#include <optional>
#include <vector>

#include "model/decoder/batch.h"
#include "model/session/device_memory.h"
#include "model/session/device_model.h"
#include "model/session/encoded_window.h"

namespace vidi {

class AnswerTable {
 public:
  using Prompts = std::vector<std::vector<int>>;

  // What is given must outlive it.
  AnswerTable(const DeviceModel& model, const DeviceMemory& memory, const AnswerDraft* draft,
              const Tap& tap, PassSizes& known_sizes);

  // The window's questions wait for their rows. kBadInput: no prompt, or one that is too long.
  uint64_t join(std::shared_ptr<const EncodedWindow> window, Prompts prompts,
                const GenerateOptions& options);
  // One pass over all rows, after those that wait have joined. False when there is nothing to do.
  // What c10 throws for lack of memory, and a cancel, leave all as it was.
  bool step(const Cancel& cancel);
  // After the device ran out of memory: fewer rows from now on. The youngest begin anew; one that
  // has no room alone fails.
  void do_less(const Error& error);
  void fail_all(const Error& error);  // never throws
  void leave(uint64_t number);

  struct Done {
    uint64_t number;
    std::shared_ptr<const EncodedWindow> window;
    std::vector<Generation> answers;
    std::optional<Error> error;  // then there are no answers
  };
  std::vector<Done> take_done();

  size_t n_rows() const { return batch_.n_rows(); }
  bool has_room() const;
  bool empty() const { return windows_.empty() && done_.empty(); }

 private:
  struct Window {
    uint64_t number;
    std::shared_ptr<const EncodedWindow> window;
    Prompts prompts;
    GenerateOptions options;
    std::vector<Generation> answers;  // a question each; they stay where they are
    std::vector<size_t> waiting;      // questions without a row, the next one last
    size_t longest = 0;               // tokens of a prompt
  };
  void start_some(Window& window, const Cancel& cancel);
  size_t most_at_once(const Window& window) const;
  void collect();
  void fail(std::list<Window>::iterator window, const Error& error);
  Error shortage(const Window& window, const Error& error) const;
  std::list<Window>::iterator first_waiting();

  const DeviceModel& model_;
  const DeviceMemory& memory_;
  Batch batch_;
  std::list<Window> windows_;  // in the order that they joined
  std::vector<Done> done_;
  uint64_t last_number_ = 0;
  size_t most_rows_, most_started_;  // less after memory ran out
  bool ran_out_while_starting_ = false;
};

}  // namespace vidi
