// Session::begin_answers() of the engine. One thread at a time.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "model/session.h"
#include "model/session/question_answerer.h"

namespace vidi {

class JointAnswers final : public AnswerBatch {
 public:
  // What is given must outlive it. `check` throws where the session can do nothing now.
  JointAnswers(QuestionAnswerer& answerer, std::function<void()> check)
      : answerer_(answerer), check_(std::move(check)), table_(answerer.new_table()) {}

  Result<uint64_t> join(std::shared_ptr<const Encoded> encoded, const std::vector<Query>& queries,
                        const AskOptions& options, const Cancel& cancel) noexcept override;
  Result<bool> step(const Cancel& cancel) noexcept override;
  void do_less(const Error& error) noexcept override;
  std::vector<Answered> take_answered() noexcept override;
  void leave(uint64_t number) noexcept override;
  size_t n_rows() const noexcept override { return table_.n_rows(); }
  bool has_room() const noexcept override { return table_.has_room(); }

 private:
  const QuestionAnswerer& answerer_;
  const std::function<void()> check_;
  AnswerTable table_;
};

}  // namespace vidi
