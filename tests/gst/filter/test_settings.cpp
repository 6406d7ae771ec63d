#include <gst/gst.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <set>

#include "gst/filter/settings.h"
#include "gst/results/highlights.h"
#include "tests/support/text_file.h"

namespace vidi {
namespace {

// An object that has the element's properties and nothing else.
struct Holder {
  GObject parent;
  Settings* settings;
  std::string* error;
};
struct HolderClass {
  GObjectClass parent;
};
G_DEFINE_TYPE(Holder, holder, G_TYPE_OBJECT)

Holder* as_holder(GObject* object) { return reinterpret_cast<Holder*>(object); }

void holder_init(Holder* self) {
  self->settings = new Settings;
  self->error = new std::string;
}
void holder_finalize(GObject* object) {
  delete as_holder(object)->settings;
  delete as_holder(object)->error;
  G_OBJECT_CLASS(holder_parent_class)->finalize(object);
}
void holder_class_init(HolderClass* holder_class) {
  auto* object_class = G_OBJECT_CLASS(holder_class);
  object_class->finalize = holder_finalize;
  object_class->set_property = [](GObject* object, guint id, const GValue* value, GParamSpec*) {
    EXPECT_TRUE(set_setting(*as_holder(object)->settings, id, value, as_holder(object)->error));
  };
  object_class->get_property = [](GObject* object, guint id, GValue* value, GParamSpec*) {
    const bool ours = get_setting(*as_holder(object)->settings, id, value);
    EXPECT_TRUE(ours || id >= kPropStats);
  };
  install_properties(object_class);
}

class SettingsTest : public testing::Test {
 protected:
  static void SetUpTestSuite() { gst_init(nullptr, nullptr); }
  void SetUp() override { object_ = G_OBJECT(g_object_new(holder_get_type(), nullptr)); }
  void TearDown() override { g_object_unref(object_); }

  Settings& settings() { return *as_holder(object_)->settings; }
  const std::string& error() { return *as_holder(object_)->error; }
  GParamSpec* spec(const char* name) {
    return g_object_class_find_property(G_OBJECT_GET_CLASS(object_), name);
  }
  // As gst-launch-1.0 does; false when the text is no value of that property.
  bool set_text(const char* name, const char* value) {
    GValue parsed = G_VALUE_INIT;
    g_value_init(&parsed, spec(name)->value_type);
    const bool good = gst_value_deserialize_with_pspec(&parsed, value, spec(name));
    if (good) g_object_set_property(object_, name, &parsed);
    g_value_unset(&parsed);
    return good;
  }
  std::string as_text(const char* name) {
    GValue value = G_VALUE_INIT;
    g_object_get_property(object_, name, &value);
    gchar* text =
        G_VALUE_HOLDS_STRING(&value) ? g_value_dup_string(&value) : gst_value_serialize(&value);
    g_value_unset(&value);
    std::string result = text ? text : "(null)";
    g_free(text);
    return result;
  }
  std::vector<std::string> asked(bool has_prompt = false) {
    std::vector<std::string> texts;
    const auto plan = settings().plan(has_prompt);
    for (const Question& question : plan->questions) {
      texts.push_back(question.text);
    }
    return texts;
  }

  GObject* object_ = nullptr;
};

using Texts = std::vector<std::string>;

struct Row {
  const char *name, *type, *value;  // value: the default, NULL = an empty list
  bool while_playing;
};
const Row kRows[] = {
    {"model-path", "gchararray", "(null)", false},
    {"device", "gchararray", "auto", false},
    {"split-windows", "gboolean", "false", false},
    {"precision", "GstVidiFilterPrecision", "auto", false},
    {"weights", "GstVidiFilterWeights", "auto", false},
    {"keys", "GstVidiFilterKeys", "auto", false},
    {"memory-limit", "guint64", "0", false},
    {"unload-after", "guint64", "0", false},
    {"model-load", "GstVidiFilterModelLoad", "async", false},
    {"task", "GstVidiFilterTask", "retrieval", true},
    {"query", "gchararray", "(null)", true},
    {"queries", "GstValueArray", nullptr, true},
    {"queries-file", "gchararray", "(null)", true},
    {"prompt-template", "gchararray", "(null)", true},
    {"max-highlights", "guint", "3", true},
    {"max-new-tokens", "guint", "1024", true},
    {"frame-rate", "GstFraction", "0/1", false},
    {"window-duration", "guint64", "60000000000", true},
    {"window-stride", "guint64", "30000000000", true},
    {"merge-gap", "guint64", "1000000000", true},
    {"min-confidence", "gdouble", "0", true},
    {"audio-wait", "guint64", "2000000000", true},
    {"overload-policy", "GstVidiFilterOverloadPolicy", "auto", true},
    {"max-pending-windows", "guint", "2", true},
    {"max-delay", "guint64", "0", true},
    {"keep-windows", "guint", "1", true},
    {"gate", "GstVidiFilterGate", "none", true},
    {"gate-similarity", "gdouble", "0.90000000000000002", true},  // 0.9 as a double
    {"error-policy", "GstVidiFilterErrorPolicy", "fail", true},
    {"analytics-meta", "gboolean", "false", true},
    {"passthrough", "gboolean", "false", true},
};

// Every property has the documented type, default and mutability, and a blurb that is a sentence.
TEST_F(SettingsTest, PropertiesAreThoseOfTheManual) {
  EXPECT_TRUE(settings().queries.empty());
  for (const Row& row : kRows) {
    SCOPED_TRACE(row.name);
    const GParamSpec* found = spec(row.name);
    ASSERT_NE(found, nullptr);
    EXPECT_STREQ(g_type_name(found->value_type), row.type);
    if (row.value) {
      EXPECT_EQ(as_text(row.name), row.value);
    }
    EXPECT_EQ(found->flags & (GST_PARAM_MUTABLE_PLAYING | GST_PARAM_MUTABLE_READY),
              row.while_playing ? GST_PARAM_MUTABLE_PLAYING : GST_PARAM_MUTABLE_READY);
    EXPECT_EQ(found->flags & G_PARAM_READWRITE, G_PARAM_READWRITE);
    EXPECT_EQ(found->flags & G_PARAM_STATIC_STRINGS, G_PARAM_STATIC_STRINGS);
    const std::string blurb = g_param_spec_get_blurb(const_cast<GParamSpec*>(found));
    EXPECT_GT(blurb.size(), 10u);
    EXPECT_EQ(blurb.back(), '.');
  }
}

// There is no property beyond the manual's, and the two read-only ones are only readable.
TEST_F(SettingsTest, ReadOnlyPropertiesAndNoOthers) {
  guint n = 0;
  g_free(g_object_class_list_properties(G_OBJECT_GET_CLASS(object_), &n));
  EXPECT_EQ(n, std::size(kRows) + 2);
  EXPECT_EQ(spec("stats")->value_type, GST_TYPE_STRUCTURE);
  EXPECT_STREQ(g_type_name(spec("model-state")->value_type), "GstVidiFilterModelState");
  for (const char* name : {"stats", "model-state"}) {
    EXPECT_EQ(spec(name)->flags & G_PARAM_READWRITE, G_PARAM_READABLE) << name;
  }
}

// What GObject says is the default is what a fresh object has.
TEST_F(SettingsTest, DefaultsOfSpecsAreThoseOfTheStruct) {
  for (const Row& row : kRows) {
    GValue value = G_VALUE_INIT;
    g_object_get_property(object_, row.name, &value);
    EXPECT_TRUE(g_param_value_defaults(spec(row.name), &value)) << row.name;
    g_value_unset(&value);
  }
}

// Enums have the documented nicks, a description each, and are marked as API of the plugin.
TEST_F(SettingsTest, EnumsHaveTheDocumentedNicks) {
  const std::pair<const char*, std::vector<std::string>> kinds[] = {
      {"precision", {"auto", "fp32", "fp16", "bf16"}},
      {"model-load", {"async", "sync"}},
      {"task", {"retrieval", "highlight"}},
      {"overload-policy", {"auto", "block", "drop-oldest", "drop-newest"}},
      {"error-policy", {"fail", "passthrough"}},
      {"model-state", {"unloaded", "loading", "ready", "failed"}}};
  for (const auto& [name, nicks] : kinds) {
    const GType type = spec(name)->value_type;
    auto* values = G_ENUM_CLASS(g_type_class_ref(type));
    Texts found;
    for (guint i = 0; i < values->n_values; ++i) {
      found.push_back(values->values[i].value_nick);
      EXPECT_STRNE(values->values[i].value_name, "");
    }
    EXPECT_EQ(found, nicks) << name;
    EXPECT_TRUE(gst_type_is_plugin_api(type, nullptr)) << name;
    g_type_class_unref(values);
  }
}

// Every property takes a value other than its default and gives the same value back.
TEST_F(SettingsTest, ValuesComeBack) {
  const std::pair<const char*, const char*> values[] = {{"model-path", "/models/a b"},
                                                        {"device", "cuda:1"},
                                                        {"precision", "bf16"},
                                                        {"weights", "int8"},
                                                        {"keys", "int8"},
                                                        {"memory-limit", "24000000000"},
                                                        {"unload-after", "60000000000"},
                                                        {"model-load", "sync"},
                                                        {"task", "highlight"},
                                                        {"query", "a dog"},
                                                        {"prompt-template", "When is {query}?"},
                                                        {"max-highlights", "0"},
                                                        {"max-new-tokens", "8192"},
                                                        {"frame-rate", "30000/1001"},
                                                        {"window-duration", "0"},
                                                        {"window-stride", "1"},
                                                        {"merge-gap", "18446744073709551615"},
                                                        {"min-confidence", "0.5"},
                                                        {"audio-wait", "0"},
                                                        {"overload-policy", "drop-newest"},
                                                        {"max-pending-windows", "64"},
                                                        {"max-delay", "3000000000"},
                                                        {"keep-windows", "4294967295"},
                                                        {"gate", "motion"},
                                                        {"gate-similarity", "0.75"},
                                                        {"error-policy", "passthrough"},
                                                        {"passthrough", "true"}};
  for (const auto& [name, value] : values) {
    ASSERT_TRUE(set_text(name, value)) << name;
    EXPECT_EQ(as_text(name), value);
    EXPECT_EQ(error(), "");
  }
  const Settings& s = settings();
  EXPECT_EQ(s.model_path, "/models/a b");
  EXPECT_EQ(s.precision, Precision::kBf16);
  EXPECT_EQ(s.weights, WeightFormat::kInt8);
  EXPECT_EQ(s.keys, KeyFormat::kInt8);
  EXPECT_EQ(s.memory_limit, 24000000000u);
  EXPECT_EQ(s.model_load, ModelLoad::kSync);
  EXPECT_EQ(s.task, Task::kHighlight);
  EXPECT_EQ(s.rate.numerator, 30000);
  EXPECT_EQ(s.rate.denominator, 1001);
  EXPECT_EQ(s.merge_gap, GST_CLOCK_TIME_NONE);
  EXPECT_EQ(s.overload_policy, OverloadChoice::kDropNewest);
  EXPECT_TRUE(s.gate_settings().is_on);
  EXPECT_EQ(s.gate_settings().least_similarity, 0.75);
  EXPECT_EQ(s.error_policy, ErrorPolicy::kPassthrough);
  EXPECT_TRUE(s.passthrough);
}

// Ranges end where they should: the last value inside is taken, the first outside is none.
TEST_F(SettingsTest, RangesEndWhereTheyShould) {
  const auto is_outside = [&](const char* name, const char* text) {
    GValue value = G_VALUE_INIT;
    g_value_init(&value, spec(name)->value_type);
    EXPECT_TRUE(gst_value_deserialize(&value, text)) << text;
    const bool changed = g_param_value_validate(spec(name), &value);
    g_value_unset(&value);
    return changed;
  };
  const std::tuple<const char*, const char*, const char*> limits[] = {
      {"max-pending-windows", "1", "0"},
      {"max-pending-windows", "64", "65"},
      {"max-new-tokens", "1", "0"},
      {"max-new-tokens", "8192", "8193"},
      {"min-confidence", "0.0", "-0.001"},
      {"min-confidence", "1.0", "1.001"},
      {"gate-similarity", "1.0", "1.001"},
      {"frame-rate", "240/1", "241/1"},
      {"frame-rate", "0/1", "-1/1"},
      {"keep-windows", "1", "0"},
      {"memory-limit", "9223372036854775807", "9223372036854775808"},
      {"window-duration", "86400000000000", "86400000000001"}};
  for (const auto& [name, inside, outside] : limits) {
    EXPECT_FALSE(is_outside(name, inside)) << name << "=" << inside;
    EXPECT_TRUE(is_outside(name, outside)) << name << "=" << outside;
  }
  // No time may be so long that adding it to a PTS leaves 64 bits with a sign.
  for (const char* name : {"window-duration", "window-stride", "audio-wait", "max-delay"}) {
    EXPECT_LE(G_PARAM_SPEC_UINT64(spec(name))->maximum, guint64(G_MAXINT64 / 2)) << name;
  }
}

// The list of queries reads from a command line, and comes back in the same order.
TEST_F(SettingsTest, QueriesFromACommandLine) {
  ASSERT_TRUE(set_text("queries", "<\"person falls\",\"forklift\">"));
  EXPECT_EQ(settings().queries, (Texts{"person falls", "forklift"}));
  EXPECT_NE(as_text("queries").find("forklift"), std::string::npos) << as_text("queries");
  ASSERT_TRUE(set_text("queries", "<dog>"));
  EXPECT_EQ(settings().queries, Texts{"dog"});
  ASSERT_TRUE(set_text("queries", "< >"));
  EXPECT_TRUE(settings().queries.empty());
}

// An empty item or one that is no text is refused with its index, and the queries stay as they
// were.
TEST_F(SettingsTest, BadItemsOfQueriesAreRefused) {
  ASSERT_TRUE(set_text("queries", "<dog>"));
  EXPECT_EQ(error(), "");
  ASSERT_TRUE(set_text("queries", "<cat,\"\">"));
  EXPECT_NE(error().find("Item 1 "), std::string::npos) << error();
  EXPECT_NE(error().find("empty"), std::string::npos) << error();

  GValue array = G_VALUE_INIT, item = G_VALUE_INIT;
  gst_value_array_init(&array, 1);
  g_value_init(&item, G_TYPE_INT);
  gst_value_array_append_and_take_value(&array, &item);
  g_object_set_property(object_, "queries", &array);
  EXPECT_NE(error().find("Item 0 "), std::string::npos) << error();
  // As it is, without the repairs of GObject.
  std::string direct;
  EXPECT_TRUE(set_setting(settings(), spec("queries")->param_id, &array, &direct));
  EXPECT_NE(direct.find("no text"), std::string::npos) << direct;
  g_value_unset(&array);
  EXPECT_EQ(settings().queries, Texts{"dog"});

  ASSERT_TRUE(set_text("queries", "<bird>"));
  EXPECT_EQ(error(), "") << "a good value takes the error away";
}

// A frame rate is 0/1, or at least one picture an hour; less is refused and changes nothing.
TEST_F(SettingsTest, TheFrameRateIsZeroOrAtLeastOneAnHour) {
  for (const char* good : {"1/3600", "0/1"}) {
    ASSERT_TRUE(set_text("frame-rate", good));
    EXPECT_EQ(as_text("frame-rate"), good);
    EXPECT_EQ(error(), "");
  }
  ASSERT_TRUE(set_text("frame-rate", "5/1"));
  for (const char* bad : {"1/3601", "2/7201", "1/2147483647"}) {
    ASSERT_TRUE(set_text("frame-rate", bad));
    EXPECT_NE(error().find(bad), std::string::npos) << error();
    EXPECT_EQ(as_text("frame-rate"), "5/1");
  }
}

// Bytes that are no UTF-8 are refused where text is expected, and taken in a folder's name.
TEST_F(SettingsTest, TextMustBeUtf8) {
  for (const char* name : {"query", "prompt-template", "device"}) {
    g_object_set(object_, name, "good", nullptr);
    g_object_set(object_, name, "bad\xff", nullptr);
    EXPECT_NE(error().find(name), std::string::npos) << error();
    EXPECT_EQ(as_text(name), "good");
  }
  g_object_set(object_, "model-path", "/models/\xff", nullptr);
  EXPECT_EQ(error(), "");
  EXPECT_EQ(settings().model_path, "/models/\xff");

  GValue array = G_VALUE_INIT, item = G_VALUE_INIT;
  gst_value_array_init(&array, 1);
  g_value_init(&item, G_TYPE_STRING);
  g_value_set_string(&item, "\xc3");
  gst_value_array_append_and_take_value(&array, &item);
  EXPECT_TRUE(
      set_setting(settings(), spec("queries")->param_id, &array, as_holder(object_)->error));
  EXPECT_NE(error().find("Item 0 "), std::string::npos) << error();
  g_value_unset(&array);
}

// NULL brings a text's default back.
TEST_F(SettingsTest, NullIsTheDefault) {
  for (const char* name : {"model-path", "device", "query", "prompt-template"}) {
    const std::string before = as_text(name);
    g_object_set(object_, name, "other", nullptr);
    EXPECT_EQ(as_text(name), "other");
    g_object_set(object_, name, nullptr, nullptr);
    EXPECT_EQ(as_text(name), before) << name;
  }
  EXPECT_EQ(settings().query, "");
  EXPECT_EQ(settings().device, "auto");
}

// Ids that are not in the table are somebody else's.
TEST_F(SettingsTest, UnknownIdsAreLeftAlone) {
  GValue value = G_VALUE_INIT;
  g_value_init(&value, G_TYPE_UINT);
  std::string error = "untouched";
  for (const guint id : {0u, guint(std::size(kRows)) + 1, guint(kPropStats), G_MAXUINT}) {
    EXPECT_FALSE(set_setting(settings(), id, &value, &error)) << id;
    EXPECT_FALSE(get_setting(settings(), id, &value)) << id;
  }
  EXPECT_EQ(error, "untouched");
}

// The stride is more than nothing and at most the duration; without one the windows just touch.
TEST(SettingsShape, StrideIsBroughtIntoRange) {
  const auto stride_of = [](guint64 duration, guint64 stride) {
    Settings settings;
    settings.window_duration = duration;
    settings.window_stride = stride;
    EXPECT_EQ(settings.shape().duration.count(), gint64(duration));
    return guint64(settings.shape().stride.count());
  };
  EXPECT_EQ(stride_of(60 * GST_SECOND, 30 * GST_SECOND), 30 * GST_SECOND);
  EXPECT_EQ(stride_of(20 * GST_SECOND, 30 * GST_SECOND), 20 * GST_SECOND);
  EXPECT_EQ(stride_of(20 * GST_SECOND, 0), 20 * GST_SECOND);
  EXPECT_EQ(stride_of(20 * GST_SECOND, 1), GST_MSECOND);
  EXPECT_EQ(stride_of(1000, 1), 1000u);
  EXPECT_EQ(stride_of(0, 30 * GST_SECOND), 30 * GST_SECOND);
  EXPECT_GT(stride_of(0, 0), 0u);
}

// The sampling takes the user's frame rate when one is set, else the checkpoint's, else 1/1.
TEST(SettingsShape, TheUsersFrameRateComesFirst) {
  const auto rate_of = [](const Settings& settings) {
    return std::pair(settings.shape().rate_numerator, settings.shape().rate_denominator);
  };
  Settings settings;
  EXPECT_EQ(rate_of(settings), std::pair(1, 1));
  settings.checkpoint_rate = {5, 2};
  EXPECT_EQ(rate_of(settings), std::pair(5, 2));
  EXPECT_EQ(settings.frame_rate().interval(), std::chrono::milliseconds(400));
  settings.rate = {30000, 1001};
  EXPECT_EQ(rate_of(settings), std::pair(30000, 1001));
}

// `auto` drops the oldest window of a live stream and blocks a file; the others are themselves.
TEST(SettingsPolicy, AutoLooksAtLive) {
  Settings settings;
  EXPECT_EQ(settings.policy(true), OverloadPolicy::kDropOldest);
  EXPECT_EQ(settings.policy(false), OverloadPolicy::kBlock);
  const std::pair<OverloadChoice, OverloadPolicy> fixed[] = {
      {OverloadChoice::kBlock, OverloadPolicy::kBlock},
      {OverloadChoice::kDropOldest, OverloadPolicy::kDropOldest},
      {OverloadChoice::kDropNewest, OverloadPolicy::kDropNewest}};
  for (const auto& [choice, policy] : fixed) {
    settings.overload_policy = choice;
    EXPECT_EQ(settings.policy(true), policy);
    EXPECT_EQ(settings.policy(false), policy);
  }
}

// The model is told apart by folder, device, precision, memory limit and forms, not by the window
// that it is planned for.
TEST(SettingsKey, HoldsWhatTellsModelsApart) {
  Settings settings;
  settings.model_path = "/m";
  settings.device = "cpu";
  settings.precision = Precision::kFp32;
  constexpr WeightFormat kAuto = WeightFormat::kAuto;
  EXPECT_EQ(settings.model_key(),
            (ModelKey{"/m", "cpu", Precision::kFp32, 0, kAuto, KeyFormat::kAuto}));
  settings.memory_limit = 5;
  const ModelKey limited{"/m", "cpu", Precision::kFp32, 5, kAuto, KeyFormat::kAuto};
  EXPECT_EQ(settings.model_key(), limited);
  settings.window_duration = 7 * GST_SECOND, settings.rate = {5, 2};
  EXPECT_EQ(settings.model_key(), limited);
  EXPECT_EQ(settings.model_key().longest.seconds, 7);
  EXPECT_EQ(settings.model_key().longest.frames, 18);
  EXPECT_EQ(settings.model_key().longest.shared_frames, 0);  // the stride is longer
  settings.window_stride = 4 * GST_SECOND;
  EXPECT_EQ(settings.model_key().longest.shared_frames, 8);
  settings.split_windows = true;
  EXPECT_TRUE(settings.model_key().split_windows);
  EXPECT_FALSE(settings.model_key() == limited);
}

// Retrieval asks the query first, then the queries, the same text once, with ids in that order.
TEST_F(SettingsTest, RetrievalAsksQueryAndQueries) {
  settings().query = "b";
  settings().queries = {"a", "b", "c", "a"};
  const auto plan = settings().plan(true);
  EXPECT_EQ(asked(true), (Texts{"b", "a", "c"}));
  EXPECT_EQ(plan->questions[2].id, "2");
  EXPECT_EQ(plan->questions[2].title, "c");
  EXPECT_EQ(plan->task, "retrieval");
  EXPECT_FALSE(plan->ranked);
  settings().query = "";
  EXPECT_EQ(asked(), (Texts{"a", "b", "c"}));
  settings().queries.clear();
  EXPECT_EQ(asked(), Texts{}) << "no query, no question";
}

// One text may hold several questions, a line each; what is around them is not theirs.
TEST_F(SettingsTest, QueryMayHoldSeveralLines) {
  settings().query = "a dog\n\n  a phone \r\na dog";
  EXPECT_EQ(asked(), (Texts{"a dog", "a phone"}));
}

// A file of questions: comments, blank lines, a byte order mark and Windows' line ends are not
// asked; it is read when the property is set, and comes after the other questions.
TEST_F(SettingsTest, QueriesFromAFile) {
  const test::TextFile file(
      "\xef\xbb\xbf# of the door\r\nperson falls\r\n\r\n  forklift\n#end\rlast");
  g_object_set(object_, "query", "first", "queries-file", file.path().c_str(), nullptr);
  EXPECT_EQ(error(), "");
  file.write("other");
  EXPECT_EQ(asked(), (Texts{"first", "person falls", "forklift", "last"}));
  EXPECT_EQ(as_text("queries-file"), file.path());
  g_object_set(object_, "queries-file", nullptr, nullptr);
  EXPECT_EQ(asked(), Texts{"first"});
}

// A file that holds no questions is refused with a sentence that names it, and changes nothing.
TEST_F(SettingsTest, BadFilesOfQueriesAreRefused) {
  const test::TextFile good("a dog\n");
  g_object_set(object_, "queries-file", good.path().c_str(), nullptr);
  const std::pair<std::string, const char*> bad[] = {{"", "no question"},
                                                     {"# none\n\n", "no question"},
                                                     {"a dog\nb\xff\n", "line 2"},
                                                     {std::string(2 << 20, 'a'), "1 MiB"}};
  for (const auto& [text, part] : bad) {
    const test::TextFile file(text);
    g_object_set(object_, "queries-file", file.path().c_str(), nullptr);
    EXPECT_NE(error().find(part), std::string::npos) << error();
    EXPECT_NE(error().find(file.path()), std::string::npos) << error();
    EXPECT_EQ(as_text("queries-file"), good.path());
    EXPECT_EQ(asked(), Texts{"a dog"});
  }
  // A pipe that nobody writes into does not hold up the application.
  const std::string pipe = good.path() + ".pipe";
  ASSERT_EQ(mkfifo(pipe.c_str(), 0600), 0);
  for (const char* path : {"/nonsense/queries.txt", "/", "/dev/zero", pipe.c_str()}) {
    g_object_set(object_, "queries-file", path, nullptr);
    EXPECT_NE(error().find(path), std::string::npos) << error();
  }
  unlink(pipe.c_str());
}

// The property names the model, else the environment does; set to nothing it says that there is
// none.
TEST_F(SettingsTest, TheModelMayComeFromTheEnvironment) {
  setenv("VIDI_MODEL", "/models/env", 1);
  EXPECT_EQ(settings().model_place().folder, "/models/env");
  EXPECT_EQ(settings().model_place().from, "VIDI_MODEL");
  EXPECT_EQ(settings().model_key().folder, "/models/env");
  settings().model_path = "/models/mine";
  EXPECT_EQ(settings().model_place().folder, "/models/mine");
  EXPECT_EQ(settings().model_place().from, "model-path");
  settings().model_path.clear();
  setenv("VIDI_MODEL", "", 1);
  EXPECT_EQ(settings().model_place().folder, "");
  unsetenv("VIDI_MODEL");
}

// A model with a highlight prompt, or a prompt of the user's, is asked one question and not ranked.
TEST_F(SettingsTest, HighlightsByThePrompt) {
  settings().task = Task::kHighlight;
  settings().queries = {"a", "b"};
  EXPECT_EQ(settings().plan(true)->task, "highlight");
  EXPECT_FALSE(settings().plan(true)->ranked);
  EXPECT_EQ(asked(true), Texts{""});
  EXPECT_EQ(settings().plan(true)->questions[0].id, "0");
  settings().query = "goals";
  EXPECT_EQ(asked(true), Texts{"goals"});
  settings().prompt_template = "List the best of {query}";
  EXPECT_EQ(settings().plan(false)->task, "highlight");
  EXPECT_FALSE(settings().plan(false)->ranked);
  EXPECT_EQ(settings().plan(false)->prompt_template, "List the best of {query}");
}

// Without any prompt highlights are ranked retrieval questions: the user's, else the built-in ones.
TEST_F(SettingsTest, HighlightsByQueries) {
  settings().task = Task::kHighlight;
  EXPECT_EQ(asked(), built_in_moments());
  EXPECT_EQ(settings().plan(false)->task, "retrieval");
  EXPECT_TRUE(settings().plan(false)->ranked);
  settings().query = "a goal";
  EXPECT_EQ(asked(), Texts{"a goal"});
  settings().queries = {"a save"};
  EXPECT_EQ(asked(), (Texts{"a goal", "a save"}));
}

// The plan carries what the answers are treated with; a merge gap of NONE means no merging.
TEST_F(SettingsTest, PlanCarriesTheLimits) {
  settings().max_new_tokens = 7;
  settings().max_highlights = 9;
  settings().min_confidence = 0.25;
  settings().merge_gap = 5;
  auto plan = settings().plan(false);
  EXPECT_EQ(plan->max_new_tokens, 7);
  EXPECT_EQ(plan->max_highlights, 9u);
  EXPECT_EQ(plan->min_confidence, 0.25);
  EXPECT_TRUE(plan->merge);
  EXPECT_EQ(plan->merge_gap, Time(5));
  settings().merge_gap = GST_CLOCK_TIME_NONE;
  EXPECT_FALSE(settings().plan(false)->merge);
  settings().merge_gap = GST_CLOCK_TIME_NONE - 1;
  EXPECT_TRUE(settings().plan(false)->merge);
  EXPECT_EQ(settings().plan(false)->merge_gap, kForever) << "never a negative gap";
}

// The built-in moments are a short list of different phrases.
TEST(BuiltInMoments, AreAFewDifferentPhrases) {
  const Texts& moments = built_in_moments();
  EXPECT_GE(moments.size(), 8u);
  EXPECT_LE(moments.size(), 12u);
  EXPECT_EQ(std::set<std::string>(moments.begin(), moments.end()).size(), moments.size());
}

}  // namespace
}  // namespace vidi
