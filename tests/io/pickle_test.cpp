#include <espalier/io/pickle.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <espalier/core/error.h>

#include "zip_maker.h"

namespace espalier::io {
namespace {

using Kind = Value::Kind;
using testing::HasSubstr;
using namespace std::string_literals;

// As Python prints it.
std::string shown(const Value& v) {
  std::string items;
  bool is_dict = v.is(Kind::dict);
  for (size_t i = 0; v.is_node() && i < v.items().size(); ++i) {
    items += (i == 0 ? "" : is_dict && i % 2 ? ": " : ", ") + shown(v.items()[i]);
  }
  switch (v.kind) {
    case Kind::none: return "None";
    case Kind::boolean: return v.boolean ? "True" : "False";
    case Kind::integer: return concat(v.integer);
    case Kind::real: return concat(v.real);
    case Kind::large: return concat("large of ", v.text().size());
    case Kind::text: return concat("'", v.text(), "'");
    case Kind::bytes: return concat("b'", v.text(), "'");
    case Kind::list: return concat("[", items, "]");
    case Kind::tuple: return concat("(", items, ")");
    case Kind::set:
    case Kind::dict: return concat("{", items, "}");
    case Kind::global: return concat("<", v.text(), ">");
    case Kind::object:
      return concat(v.text(), "(", items, ")", v.state().is(Kind::none) ? "" : shown(v.state()));
    default: return "?";
  }
}

std::string read(const std::string& pickle) {
  ValueArena arena;
  PlainRules rules;
  ByteReader bytes(as_bytes(pickle));
  return shown(read_pickle(bytes, arena, rules));
}

std::string refusal(const std::string& pickle) {
  try {
    read(pickle);
    return "";
  } catch (const FileError& e) {
    return e.what();
  }
}

std::string times(int count, const std::string& part) {
  std::string out;
  for (int i = 0; i < count; ++i) out += part;
  return out;
}

TEST(Pickle, reads_numbers_of_every_form) {
  EXPECT_EQ(read("\x80\2N."), "None");
  EXPECT_EQ(read("(\x88\x89I01\nI00\nt."), "(True, False, True, False)");
  EXPECT_EQ(read("(K\xffM\xff\xffJ\xff\xff\xff\xffI-7\nt."), "(255, 65535, -1, -7)");
  EXPECT_EQ(read("(\x8a\0\x8a\1\xff\x8a\2\xff\0\x8b\1\0\0\0\5t."s), "(0, -1, 255, 5)");
  EXPECT_EQ(read("(L5L\nL-9000000000000000000L\nL18446744073709551616L\n\x8a\x09\0\0\0\0\0\0\0\0\1t."s),
            "(5, -9000000000000000000, large of 9, large of 9)");
  EXPECT_EQ(read("(F1.5\nG\x3f\xf8\0\0\0\0\0\0t."s), "(1.5, 1.5)");
}

TEST(Pickle, reads_texts_and_bytes_of_every_form) {
  EXPECT_EQ(read("(S'a'\nVb\\u00e9\nU\1cT\1\0\0\0dX\1\0\0\0e\x8c\1f\x8d\1\0\0\0\0\0\0\0gt."s),
            "('a', 'b\u00e9', 'c', 'd', 'e', 'f', 'g')");
  EXPECT_EQ(read("(C\1aB\1\0\0\0b\x8e\1\0\0\0\0\0\0\0c\x96\1\0\0\0\0\0\0\0dt."s), "(b'a', b'b', b'c', b'd')");
}

TEST(Pickle, reads_containers_of_every_form) {
  EXPECT_EQ(read("((K\1l](K\1K\2e]K\3a(t)K\1\x85K\1K\2\x86K\1K\2K\3\x87t."),
            "([1], [1, 2], [3], (), (), (1), (1, 2), (1, 2, 3))");
  EXPECT_EQ(read("((K\1K\2d}K\1K\2s}(K\1K\2K\3K\4ut."), "({1: 2}, {1: 2}, {1: 2, 3: 4})");
  EXPECT_EQ(read("(\x8f(K\1K\2\x90(K\1\x91t."), "({1, 2}, {1})");
  EXPECT_EQ(read("(K\1K\2"
                 "0K\3"
                 "2(K\4"
                 "1t."),
            "(1, 3, 3)");
}

TEST(Pickle, recalls_what_was_kept) {
  EXPECT_EQ(read("(K\1p7\ng7\nt."), "(1, 1)");
  EXPECT_EQ(read("(K\1q\7h\7t."), "(1, 1)");
  EXPECT_EQ(read("(K\1r\7\0\0\0j\7\0\0\0t."s), "(1, 1)");
  EXPECT_EQ(read("\x80\4\x95\7\0\0\0\0\0\0\0(K\1\x94h\0t."s), "(1, 1)");
}

TEST(Pickle, makes_the_containers_of_python) {
  EXPECT_EQ(read("ccollections\nOrderedDict\n)R(U\1aK\1u."), "{'a': 1}");
  EXPECT_EQ(read("ccollections\nOrderedDict\n((U\1aK\1tl\x85R."), "{'a': 1}");
  EXPECT_EQ(read("ccollections\nOrderedDict\n](U\1aK\1\x86"
                 "e\x85R."),
            "{'a': 1}");
  EXPECT_EQ(read("ccollections\ndefaultdict\n(c__builtin__\nint\n}K\1K\2stR."), "{1: 2}");
  EXPECT_EQ(read("c_codecs\nencode\n(X\3\0\0\0a\xc3\xbfX\6\0\0\0latin1tR."s), "b'a\xff'");
  EXPECT_EQ(read("\x80\4\x8c\x08"
                 "builtins\x8c\3set\x93](K\1e\x85R."),
            "{1}");
}

TEST(Pickle, refuses_names_that_are_no_plain_data_and_says_which) {
  for (std::string pickle :
       {"cposix\nsystem\n(S'x'\ntR.", "(S'x'\niposix\nsystem\n.", "(cposix\nsystem\nS'x'\no.",
        "\x80\4\x8c\5posix\x8c\6system\x93.", "cposix\nsystem\n0N.", "]cposix\nsystem\n\x81."}) {
    EXPECT_THAT(refusal(pickle), HasSubstr("names posix.system")) << pickle;
  }
  EXPECT_THAT(refusal("c__builtin__\neval\n."), HasSubstr("__builtin__.eval"));
  EXPECT_THAT(refusal("c" + std::string(2000, 'a') + "\nb\n."), HasSubstr("a name of 2001"));
  EXPECT_THAT(refusal("c__builtin__\nint\nU\1x\x85R."), HasSubstr("calls __builtin__.int"));
}

TEST(Pickle, refuses_extensions_buffers_and_unknown_instructions) {
  for (std::string code : {"\x82\1", "\x83\1\1", "\x84\1\1\1\1", "\x97", "\x98", "\xff", "P1\n"}) {
    EXPECT_NE(refusal(code + "."), "") << code;
  }
  EXPECT_THAT(refusal("\x80\6N."), HasSubstr("protocol 6"));
}

TEST(Pickle, refuses_what_is_cut_off_at_any_byte) {
  std::string pickle = "\x80\4\x95\x20\0\0\0\0\0\0\0(K\1\x94h\0X\1\0\0\0a]K\1a}K\1K\2sG\0\0\0\0\0\0\0\0t."s;
  EXPECT_EQ(refusal(pickle), "");
  for (size_t n = 0; n < pickle.size(); ++n) EXPECT_NE(refusal(pickle.substr(0, n)), "") << n;
}

TEST(Pickle, refuses_lengths_beyond_its_end) {
  EXPECT_THAT(refusal("X\xff\xff\xff\xff"), HasSubstr("cut off"));
  EXPECT_THAT(refusal("\x8b\xff\xff\xff\x7f"), HasSubstr("cut off"));
  EXPECT_THAT(refusal("\x8d\xff\xff\xff\xff\xff\xff\xff\xff"), HasSubstr("cut off"));
  EXPECT_THAT(refusal("\x95\xff\xff\xff\xff\xff\xff\xff\xff."), HasSubstr("frame"));
}

TEST(Pickle, keeps_values_under_large_numbers_without_room_for_those_below) {
  EXPECT_EQ(read("(K\1r\xff\xff\xff\xffj\xff\xff\xff\xfft."), "(1, 1)");
  EXPECT_EQ(read("(K\1p18446744073709551615\ng18446744073709551615\nt."), "(1, 1)");
}

TEST(Pickle, refuses_to_take_what_is_not_there) {
  for (std::string pickle :
       {".",  "t.",   "a.",    "K\1a.", "(K\1a.",  "(a.", "R.",    "K\1R.", "b.",    "s.",
        "u.", "h\1.", "g1\n.", "0.",    "1.",      "2.",  "q\1.",  "\x93.", "\x81.", "\x92.",
        "o.", "(o.",  "Q.",    "\x85.", "(N\x86.", "e.",  "\x90.", "d.",    "l."}) {
    EXPECT_NE(refusal(pickle), "") << pickle;
  }
}

TEST(Pickle, refuses_items_and_states_for_what_takes_none) {
  EXPECT_THAT(refusal("K\1K\1a."), HasSubstr("no container"));
  EXPECT_THAT(refusal("}K\1a."), HasSubstr("no container"));
  EXPECT_THAT(refusal("]K\1K\2s."), HasSubstr("no container"));
  EXPECT_THAT(refusal("}(K\1u."), HasSubstr("key without value"));
  EXPECT_THAT(refusal("]N"
                      "b."),
              HasSubstr("gives a state"));
}

TEST(Pickle, refuses_values_left_over) { EXPECT_THAT(refusal("K\1K\1."), HasSubstr("left over")); }

TEST(Pickle, refuses_values_that_hold_themselves) {
  EXPECT_THAT(refusal("]q\0h\0a."s), HasSubstr("holds itself"));
  EXPECT_THAT(refusal("}q\0K\1h\0s."s), HasSubstr("holds itself"));
  EXPECT_THAT(refusal("ccollections\nOrderedDict\n)Rq\0h\0b."s), HasSubstr("holds itself"));
}

TEST(Pickle, refuses_values_nested_too_deep) {
  EXPECT_EQ(refusal(times(900, "]q\1") + times(899, "a") + "."), "");
  EXPECT_THAT(refusal(times(100000, "]q\1") + times(99999, "a") + "."), HasSubstr("deep"));
  // Each list holds the one before it, and all stand in one.
  std::string chain = "](]q\1";
  for (int i = 0; i < 5000; ++i) chain += "]q\2h\1aq\1";
  EXPECT_NE(refusal(chain + "e."), "");
}

TEST(Pickle, refuses_lists_that_double_again_and_again) {
  std::string bomb = "]q\0"s;
  for (int i = 0; i < 40; ++i) bomb += "](h\0h\0eq\0"s;
  EXPECT_THAT(refusal("(" + bomb + "t."), HasSubstr("shared so often"));
}

TEST(Pickle, refuses_to_copy_a_long_text_again_and_again) {
  std::string pickle = "(X" + u32(100000) + std::string(100000, 'a') + "q\1c_codecs\nencode\nq\2";
  for (int i = 0; i < 10000; ++i) pickle += "h\2h\1\x85R0";
  EXPECT_THAT(refusal(pickle + "t."), HasSubstr("grows beyond"));
}

TEST(Pickle, refuses_more_values_than_its_size_allows) {
  EXPECT_THAT(refusal("(" + times(100000, "]") + "t."), HasSubstr("more values"));
}

TEST(Pickle, survives_any_changed_byte) {
  std::string pickle =
      "\x80\2ccollections\nOrderedDict\nq\1)Rq\2(X\1\0\0\0aq\3K\1X\1\0\0\0b](K\1G\0\0\0\0\0\0\0\0eu}X\1\0\0\0cNsb."s;
  EXPECT_EQ(refusal(pickle), "");
  for (size_t i = 0; i < pickle.size(); ++i) {
    for (int c = 0; c < 256; ++c) {
      std::string wrong = pickle;
      wrong[i] = static_cast<char>(c);
      refusal(wrong);
    }
  }
}

}  // namespace
}  // namespace espalier::io
