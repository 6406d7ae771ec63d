#include "kernels/control_groups.h"

#include <fstream>
#include <iterator>
#include <sstream>

namespace vidi {
namespace {

// Of version 1 a group is for some controllers, "cpu,cpuacct"; version 2 names none.
bool is_for(const std::string& controllers, const std::string& controller) {
  std::istringstream names(controllers);
  for (std::string name; std::getline(names, name, ',');) {
    if (name == controller) return true;
  }
  return controllers.empty();
}

}  // namespace

void for_each_group(const std::string& groups, const std::string& mount,
                    const std::string& controller,
                    const std::function<void(const std::string& folder)>& visit) {
  std::istringstream lines(groups);
  for (std::string line; std::getline(lines, line);) {
    const size_t first = line.find(':');
    const size_t second = first == std::string::npos ? first : line.find(':', first + 1);
    if (second == std::string::npos) continue;
    const std::string controllers = line.substr(first + 1, second - first - 1);
    if (!is_for(controllers, controller)) continue;
    const std::string root = mount + (controllers.empty() ? "" : "/" + controller);
    for (std::string path = line.substr(second + 1);;) {
      visit(root + path);
      if (path.empty()) break;
      path.resize(path.find_last_of('/') == std::string::npos ? 0 : path.find_last_of('/'));
    }
  }
}

std::string text_of_file(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace vidi
