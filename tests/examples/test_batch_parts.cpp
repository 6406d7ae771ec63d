// The parts of vidi-ask --batch, with an asker that does what a test says.
#include <gst/gst.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <functional>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "examples/batch/batch_key.h"
#include "examples/batch/batch_list.h"
#include "examples/batch/batch_run.h"
#include "examples/batch/begun_marker.h"
#include "examples/batch/file_stamp.h"
#include "examples/batch/result_folder.h"
#include "examples/batch/settings_file.h"
#include "examples/batch/shard.h"
#include "examples/batch/whole_file.h"

namespace fs = std::filesystem;

namespace {

class Batch : public testing::Test {
 protected:
  void SetUp() override {
    gst_init(nullptr, nullptr);
    std::string name = (fs::temp_directory_path() / "batch.XXXXXX").string();
    ASSERT_TRUE(mkdtemp(name.data()));
    folder_ = name;
  }
  void TearDown() override { fs::remove_all(folder_); }

  std::string write(const std::string& name, const std::string& text) {
    std::ofstream(folder_ / name, std::ios::binary) << text;
    return (folder_ / name).string();
  }

  fs::path folder_;
};

// An asker whose answers a test gives.
struct ToldAsker final : FileAsker {
  std::function<FileEnd(const FileQuestion&, const std::atomic<bool>&)> answer =
      [](const FileQuestion&, const std::atomic<bool>&) {
        FileEnd end;
        end.status = FileEnd::Status::kOk;
        return end;
      };
  Forms forms{"fp32", "native", "native"};
  std::atomic<int> n_loaded{0}, n_asked{0}, n_at_once{0}, most_at_once{0};

  std::string load(Forms* asked, const std::atomic<bool>&) override {
    ++n_loaded;
    *asked = forms;
    return "";
  }
  FileEnd ask(const FileQuestion& question, const std::atomic<bool>& stop, BatchRows*) override {
    ++n_asked;
    const int n = ++n_at_once;
    for (int most = most_at_once; n > most && !most_at_once.compare_exchange_weak(most, n);) {
    }
    FileEnd end = answer(question, stop);
    --n_at_once;
    return end;
  }
};

struct Ran {
  std::vector<nlohmann::json> ends;
  std::string error;
  size_t n_failed = 0;
};

const std::atomic<bool> kNever{false};

Ran run(const BatchWishes& wishes, FileAsker& asker,
        const std::atomic<bool>& interrupted = kNever) {
  BatchQuestions questions;
  questions.queries = {"a dog"};
  questions.model_name = questions.model_stamp = "m";
  Ran ran;
  BatchVoice voice{[&](const std::string& line) {
                     ran.ends.push_back(nlohmann::json::parse(line));
                     return true;
                   },
                   [] { return true; }, [](const std::string&) {},
                   [](double, const std::string&) {}};
  BatchRun batch(wishes, questions, asker, voice, interrupted);
  ran.error = batch.run();
  ran.n_failed = batch.summary().n_failed();
  return ran;
}

// ---- Lines ----

TEST(BatchLines, PathsUrisAndObjectsAreFilesAllElseIsRefused) {
  // A line names a file, with its own questions once each, or has a sentence that says what it
  // lacks.
  EXPECT_EQ(parse_line("a b.mp4", 3).file, "a b.mp4");
  const ListLine own = parse_line(R"( {"uri": "x.mp4", "queries": ["a", "b", "a"], "more": 1})", 1);
  EXPECT_EQ(own.file, "x.mp4");
  EXPECT_EQ(own.queries, (std::vector<std::string>{"a", "b"}));
  EXPECT_FALSE(parse_line(R"({"uri": "x.mp4"})", 1).queries);
  for (const std::string wrong :
       {R"({"uri": 1})", "{", "{}", R"({"uri": "x", "queries": "a"})",
        R"({"uri": "x", "queries": []})", R"({"uri": "x", "queries": [" "]})",
        R"({"uri": "x", "queries": [1]})", R"({"uri": ""})", "-", "{\"uri\": \"\xff\"}",
        R"({"uri": "a\u0000b"})"})
    EXPECT_FALSE(parse_line(wrong, 1).error.empty()) << wrong;
  EXPECT_FALSE(parse_line(std::string("a\0b", 3), 1).error.empty());
}

TEST_F(Batch, AListIsCountedAndReadToItsLastLine) {
  // Also the last line without an end, and one that is far too long, which is one refused line.
  const std::string text =
      "\xef\xbb\xbf"
      "one\r\n#two\n\n" +
      std::string(5'000'000, 'x') + "\nfour";
  BatchList list;
  ASSERT_EQ(list.open(write("list", text)), "");
  EXPECT_EQ(list.total(), 3u);
  std::vector<ListLine> lines;
  ListLine line;
  while (list.next(std::chrono::milliseconds(0), &line) == BatchList::Got::kLine)
    lines.push_back(line);
  ASSERT_EQ(lines.size(), 3u);
  EXPECT_EQ(lines[0].file, "one");
  EXPECT_EQ(lines[1].number, 4u);
  EXPECT_NE(lines[1].error.find("1 MiB"), std::string::npos);
  EXPECT_EQ(lines[2].file, "four");
  EXPECT_EQ(lines[2].number, 5u);
}

// ---- Names ----

TEST(BatchNames, EveryPartChangesTheKey) {
  // A key is 20 digits, the same for the same, and another as soon as one part is.
  const KeyParts parts{"file:///a", "size 1", {"a", "b"}, "{}", {"fp32", "native", "native"}, "m"};
  const std::string key = key_of(parts);
  EXPECT_EQ(key.size(), 20u);
  EXPECT_EQ(key, key_of(parts));
  std::set<std::string> keys{key};
  KeyParts other = parts;
  keys.insert(key_of((other = parts, other.uri += "b", other)));
  keys.insert(key_of((other = parts, other.stamp += "b", other)));
  keys.insert(key_of((other = parts, other.queries = {"b", "a"}, other)));
  keys.insert(key_of((other = parts, other.queries = {"a\",\"b"}, other)));
  keys.insert(key_of((other = parts, other.settings = "{1}", other)));
  keys.insert(key_of((other = parts, other.forms.precision = "fp16", other)));
  keys.insert(key_of((other = parts, other.forms.weights = "int8", other)));
  keys.insert(key_of((other = parts, other.forms.keys = "int8", other)));
  keys.insert(key_of((other = parts, other.model = "n", other)));
  EXPECT_EQ(keys.size(), 10u);
}

TEST_F(Batch, AModelIsItsConfigAndItsFiles) {
  // Another text in config.json, another file, size or time is another model; no config is a
  // sentence.
  std::string error;
  EXPECT_EQ(model_stamp(folder_.string(), &error), "");
  EXPECT_NE(error.find("config.json"), std::string::npos);
  error.clear();
  write("config.json", "{}");
  write("model.safetensors", "weights");
  std::set<std::string> stamps{model_stamp(folder_.string(), &error)};
  fs::last_write_time(folder_ / "model.safetensors",
                      fs::file_time_type::clock::now() - std::chrono::hours(1));
  stamps.insert(model_stamp(folder_.string(), &error));
  write("model-2.safetensors", "more");
  stamps.insert(model_stamp(folder_.string(), &error));
  write("config.json", "{ }");
  stamps.insert(model_stamp(folder_.string(), &error));
  EXPECT_EQ(stamps.size(), 4u);
  EXPECT_EQ(error, "");
}

TEST(BatchNames, ShardsDivideAllUris) {
  // Of a thousand URIs each is in one of seven shards, and none of the seven is nearly empty.
  std::vector<int> n(7);
  for (int i = 0; i < 1000; ++i) {
    int n_holders = 0;
    for (uint64_t k = 0; k < 7; ++k) {
      const bool holds = Shard{k, 7}.holds("file:///film" + std::to_string(i));
      n_holders += holds, n[k] += holds;
    }
    EXPECT_EQ(n_holders, 1);
  }
  for (int one : n) EXPECT_GT(one, 70);
  for (const std::string wrong : {"", "1", "7/7", "-1/7", "1/0", "a/7", "1/7x", "1/2000000"})
    EXPECT_FALSE(parse_shard(wrong)) << wrong;
  EXPECT_EQ(parse_shard("6/7")->index, 6u);
}

TEST_F(Batch, UrisArePathsWhereverTheyAreNamedFrom) {
  // A path, the same as a URI, and a relative one are one URI; what is no regular file is refused.
  std::string error;
  const std::string path = write("film one.mp4", "x");
  const std::string uri = absolute_uri(path, &error);
  EXPECT_TRUE(uri.ends_with("/film%20one.mp4")) << uri;
  EXPECT_EQ(absolute_uri(uri, &error), uri);
  EXPECT_EQ(absolute_uri(fs::relative(path).string(), &error), uri);
  EXPECT_EQ(absolute_uri("fd://0", &error), "");
  EXPECT_EQ(stamp_of(uri, kNever).error, "");
  EXPECT_NE(stamp_of(absolute_uri(folder_.string(), &error), kNever).error, "");
  EXPECT_NE(stamp_of(uri + "x", kNever).error, "");
}

// ---- The folder ----

TEST_F(Batch, OfTwoFirstRunsOneWritesTheSettings) {
  // The second one is given what the first wrote; what is torn is not understood.
  Forms taken;
  EXPECT_EQ(write_settings(folder_.string(), {"fp16", "int8", "native"}, &taken), "");
  EXPECT_EQ(write_settings(folder_.string(), {"fp32", "native", "native"}, &taken), "");
  EXPECT_EQ(taken, (Forms{"fp16", "int8", "native"}));
  EXPECT_EQ(contradiction("DIR", taken, Forms()), "");
  EXPECT_NE(contradiction("DIR", taken, {"auto", "native", "auto"}), "");
  write(kSettingsName, "{\"precision\": \"fp12\"}");
  std::string error;
  EXPECT_FALSE(read_settings(folder_.string(), &error));
  EXPECT_NE(error, "");
}

TEST_F(Batch, TheMarkerOfADoneFilmGoes) {
  // A process may be killed between a film's last rows and the marker's end; one that is alive
  // keeps its marker, and so does a film that is not done.
  for (const char* name : {"done.jsonl", "held.jsonl", "done.begun", "begun.begun"})
    write(name, "");
  BegunMarker held;
  ASSERT_EQ(held.take(folder_.string(), "held"), 0);
  ResultFolder folder;
  EXPECT_EQ(folder.open(folder_.string()), "");
  EXPECT_FALSE(fs::exists(folder_ / "done.begun"));
  EXPECT_TRUE(fs::exists(folder_ / "held.begun"));
  EXPECT_TRUE(fs::exists(folder_ / "begun.begun"));
}

TEST_F(Batch, AMarkerIsOneProcesssAndCountsItsEnds) {
  // Taken it cannot be taken; withdrawn it is gone; an end without a word and a crash are told
  // apart, and neither counts for a file that was taken and not begun.
  BegunMarker first, second;
  ASSERT_EQ(first.take(folder_.string(), "k"), 0);
  EXPECT_EQ(second.take(folder_.string(), "k"), EWOULDBLOCK);
  first.withdraw();
  EXPECT_TRUE(fs::is_empty(folder_));
  for (const int number : {SIGKILL, SIGSEGV}) {
    const pid_t child = fork();
    if (child == 0) {
      note_crashes();
      BegunMarker own, waits;
      if (own.take(folder_.string(), "k") == 0 && own.begin() == 0 &&
          waits.take(folder_.string(), "w") == 0)
        raise(number);
      _exit(0);
    }
    int status = 0;
    waitpid(child, &status, 0);
    EXPECT_EQ(WTERMSIG(status), number);
  }
  ASSERT_EQ(second.take(folder_.string(), "k"), 0);
  EXPECT_EQ(second.n_crashed(), 1);
  EXPECT_EQ(second.n_vanished(), 1);
  second.withdraw();
  ASSERT_EQ(first.take(folder_.string(), "k"), 0);
  EXPECT_EQ(first.n_crashed() + first.n_vanished(), 2);
  first.end();
  ASSERT_EQ(second.take(folder_.string(), "w"), 0);
  EXPECT_FALSE(second.is_suspect());
  second.end();
  EXPECT_TRUE(fs::is_empty(folder_));
}

// ---- Runs ----

class Runs : public Batch {
 protected:
  BatchWishes films(int n) {
    std::string list;
    for (int i = 0; i < n; ++i) list += write("film" + std::to_string(i), "x") + "\n";
    wishes_.list = write("list", list);
    wishes_.out = (folder_ / "out").string();
    return wishes_;
  }
  bool has(const std::string& ending) const {
    for (const auto& one : fs::directory_iterator(folder_ / "out"))
      if (one.path().string().ends_with(ending)) return true;
    return false;
  }
  BatchWishes wishes_;
  ToldAsker asker_;
};

TEST_F(Runs, AsManyFilesAsJobsAreInFrontOfTheModel) {
  // With three jobs three files are open at once, and never four.
  wishes_.jobs = 3;
  std::mutex mutex;
  std::condition_variable changed;
  asker_.answer = [&](const FileQuestion&, const std::atomic<bool>&) {
    std::unique_lock lock(mutex);
    changed.notify_all();
    changed.wait_for(lock, std::chrono::seconds(20), [&] { return asker_.most_at_once == 3; });
    FileEnd end;
    end.status = FileEnd::Status::kOk;
    return end;
  };
  EXPECT_EQ(run(films(12), asker_).ends.size(), 12u);
  EXPECT_EQ(asker_.most_at_once, 3);
}

TEST_F(Runs, TheModelIsLoadedForWorkAlone) {
  // Where all is done no model is loaded, and the files are said to be done.
  const BatchWishes wishes = films(3);
  run(wishes, asker_);
  ToldAsker idle;
  const Ran again = run(wishes, idle);
  EXPECT_EQ(idle.n_loaded, 0);
  EXPECT_EQ(idle.n_asked, 0);
  ASSERT_EQ(again.ends.size(), 3u);
  for (const auto& end : again.ends) EXPECT_EQ(end["new"], false);
}

TEST_F(Runs, WhatIsNoFilesFaultEndsTheRunAndMarksNone) {
  // Memory that others have taken: the sentence is the run's, no file has failed, no marker stays.
  asker_.answer = [](const FileQuestion&, const std::atomic<bool>&) {
    FileEnd end;
    end.status = FileEnd::Status::kBroken;
    end.error = "2.9 GB are missing";
    return end;
  };
  const Ran ran = run(films(5), asker_);
  EXPECT_EQ(ran.error, "2.9 GB are missing");
  EXPECT_EQ(ran.n_failed, 0u);
  EXPECT_TRUE(ran.ends.empty());
  EXPECT_FALSE(has(".failed") || has(".begun") || has(".jsonl"));
}

TEST_F(Runs, SuspectsAreAskedAlone) {
  // Files whose markers were left by processes that ended are asked one at a time, the others side
  // by side.
  const BatchWishes wishes = films(6);
  run(wishes, asker_);
  for (const auto& one : fs::directory_iterator(folder_ / "out")) {
    if (one.path().extension() != ".jsonl") continue;
    std::ofstream(fs::path(one.path()).replace_extension(".begun")) << "begun elsewhere 1 1\n";
    fs::remove(one.path());
  }
  ToldAsker second;
  EXPECT_EQ(run(wishes, second).ends.size(), 6u);
  EXPECT_EQ(second.most_at_once, 1);
  EXPECT_EQ(second.n_asked, 6);
  EXPECT_FALSE(has(".begun"));
}

TEST_F(Runs, AnInterruptedRunKeepsNothingOfWhatItWasAt) {
  // The flag reaches the file that is being asked; neither rows nor markers of it stay.
  std::atomic<bool> interrupted{false};
  asker_.answer = [&](const FileQuestion&, const std::atomic<bool>& stop) {
    interrupted = true;
    while (!stop) std::this_thread::yield();
    return FileEnd();
  };
  const Ran ran = run(films(4), asker_, interrupted);
  EXPECT_EQ(ran.error, "");
  EXPECT_TRUE(ran.ends.empty());
  EXPECT_FALSE(has(".failed") || has(".begun") || has(".jsonl"));
}

TEST_F(Runs, WhatDoesNotLetGoIsBlamedAlone) {
  // One file goes on for ever, whatever it is told: the run ends with a sentence, the file has the
  // line of a crash, and the one beside it is as if it had not been begun. (In a process of its
  // own, since a thread is left behind.)
  BatchWishes wishes = films(2);
  wishes.grace_s = 5;  // the one that does let go has a thread that a loaded machine keeps waiting
  const pid_t child = fork();
  if (child == 0) {
    auto* const both = new std::atomic<int>{0};
    auto* const interrupted = new std::atomic<bool>{false};
    auto* const asker = new ToldAsker;
    asker->answer = [=](const FileQuestion& question, const std::atomic<bool>& stop) {
      if (++*both == 2) *interrupted = true;
      const bool lets_go = question.name.ends_with("film1");
      while (!lets_go || !stop) std::this_thread::yield();
      return FileEnd{FileEnd::Status::kStopped, "", {}, {}};
    };
    BatchQuestions questions;
    questions.queries = {"a dog"};
    BatchVoice voice{[](const std::string&) { return true; }, [] { return true; },
                     [](const std::string&) {}, [](double, const std::string&) {}};
    auto* const batch = new BatchRun(wishes, questions, *asker, voice, *interrupted);
    const bool is_said = batch->run().starts_with("a file does not let go");
    _exit(is_said && batch->is_stuck() ? 0 : 1);
  }
  int status = 0;
  waitpid(child, &status, 0);
  EXPECT_EQ(status, 0);
  std::vector<fs::path> begun;
  for (const auto& one : fs::directory_iterator(wishes.out))
    if (one.path().extension() == ".begun") begun.push_back(one.path());
  ASSERT_EQ(begun.size(), 1u);
  std::string line, last;
  for (std::ifstream in(begun.front()); std::getline(in, line);) last = line;
  EXPECT_EQ(last, "crashed");
}

TEST_F(Runs, TwoThousandFilesTakeNoMemory) {
  // Each has its end, once; what is kept in memory does not grow with what is done.
  const auto resident_kb = [] {
    long pages = 0, ignored = 0;
    std::ifstream("/proc/self/statm") >> ignored >> pages;
    return pages * (sysconf(_SC_PAGESIZE) / 1024);
  };
  const BatchWishes wishes = films(400);
  run(wishes, asker_);
  const long before = resident_kb();
  for (int i = 0; i < 4; ++i) {
    BatchWishes again = wishes;
    again.out += std::to_string(i);
    EXPECT_EQ(run(again, asker_).ends.size(), 400u);
  }
  EXPECT_EQ(asker_.n_asked, 2000);
  EXPECT_LT(resident_kb() - before, 5000);
}

}  // namespace
