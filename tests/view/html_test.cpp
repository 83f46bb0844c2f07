#include <espalier/view/html.h>

#include <gtest/gtest.h>

namespace espalier::view {
namespace {

TEST(Html, EscapesTextAndAttributes) {
  std::string hostile = "<img onerror=\"x\"> & 'y'";
  EXPECT_EQ(tag("p", {{"title", hostile}}, hostile).str(),
            "<p title=\"&lt;img onerror=&quot;x&quot;&gt; &amp; &#39;y&#39;\">"
            "&lt;img onerror=&quot;x&quot;&gt; &amp; &#39;y&#39;</p>");
}

TEST(Html, KeepsHtmlAsItIs) { EXPECT_EQ(tag("b", {}, tag("i", {}, "<"), 3).str(), "<b><i>&lt;</i>3</b>"); }

TEST(Html, ReplacesWhatIsNotUtf8AndControlCharacters) {
  EXPECT_EQ(Html("a\xff z").str(), "a\uFFFD z");
  EXPECT_EQ(Html(std::string("\xe4\xb8")).str(), "\uFFFD\uFFFD");  // cut off
  EXPECT_EQ(Html("\xc0\xbc").str(), "\uFFFD\uFFFD");               // "<", longer than it may be
  EXPECT_EQ(Html("\xed\xa0\x80").str(), "\uFFFD\uFFFD\uFFFD");     // half of a pair
  EXPECT_EQ(Html(std::string("a\0\x1b\n", 4)).str(), "a\uFFFD\uFFFD\n");
  EXPECT_EQ(Html("3 × 3, 你好, 🌳").str(), "3 × 3, 你好, 🌳");
}

TEST(Html, DataUrlsAreBase64) {
  EXPECT_EQ(data_url("text/plain", ""), "data:text/plain;base64,");
  EXPECT_EQ(data_url("text/plain", "M"), "data:text/plain;base64,TQ==");
  EXPECT_EQ(data_url("text/plain", "Ma"), "data:text/plain;base64,TWE=");
  EXPECT_EQ(data_url("text/plain", "Man\xff"), "data:text/plain;base64,TWFu/w==");
}

}  // namespace
}  // namespace espalier::view
