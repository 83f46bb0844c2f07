#pragma once

#include <string>

// What a page that follows a run is sent of a view's text.
namespace espalier::cli {

// Without the rows of tables that are folded away below charts, which are most of a text.
std::string without_tables(const std::string& html);

// What makes `html` of the text `before`, as JSON: a list, to be done in its order, of
//   [[3, 0], "text"]               a text is another
//   [[3, 2], "d", "M0 1L2 3"]      an attribute is
//   [[3], 4, 1, "<p>new</p>"]      in the element, from child 4 on, one child gives way to others
// The first numbers are the way from the top to a node: of each list of nodes, which one, from 0.
std::string edits(const std::string& html, const std::string& before);

}  // namespace espalier::cli
