#include "model/session/joint_answers.h"

#include <utility>

#include "model/to_result.h"

namespace vidi {

Result<uint64_t> JointAnswers::join(std::shared_ptr<const Encoded> encoded,
                                    const std::vector<Query>& queries, const AskOptions& options,
                                    const Cancel& cancel) noexcept {
  return to_result<uint64_t>(cancel, [&] {
    check_();
    return answerer_.join(table_, std::move(encoded), queries, options);
  });
}

Result<bool> JointAnswers::step(const Cancel& cancel) noexcept {
  return to_result<bool>(cancel, [&] {
    check_();
    return table_.step(cancel);
  });
}

// Where even that has no memory nobody is answered.
void JointAnswers::do_less(const Error& error) noexcept {
  const auto done = to_result<bool>([&] { return table_.do_less(error), true; });
  if (!done) table_.fail_all(error);
}

std::vector<AnswerBatch::Answered> JointAnswers::take_answered() noexcept {
  std::vector<Answered> answered;
  for (AnswerTable::Done& done : table_.take_done()) {
    const uint64_t number = done.number;
    if (done.error) {
      answered.push_back({number, *done.error});
    } else {
      answered.push_back({number, to_result<std::vector<Answer>>(
                                      [&] { return answerer_.read(std::move(done)); })});
    }
  }
  return answered;
}

void JointAnswers::leave(uint64_t number) noexcept {
  const auto left = to_result<bool>([&] { return table_.leave(number), true; });
  if (!left) table_.fail_all(left.error());
}

}  // namespace vidi
