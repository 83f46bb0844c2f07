#pragma once

#include <string>

// What a page that follows a run is sent of a view's text.
namespace espalier::cli {

// Without the rows of tables that are folded away below charts, which are most of a text.
std::string without_tables(const std::string& html);

// What is new since the text `before`. Where figures differ only in values: those, as JSON
//   [["chart-loss", 7, "d", "M0 1L2 3"], …]
// with a figure's id, the number of an element below it, the name of an attribute, and its value; the name is
// "" for the text in the element. Elsewhere the text, in which figures that are as before are only named:
//   <figure id="chart-loss" data-same></figure>
std::string what_is_new(const std::string& html, const std::string& before);

}  // namespace espalier::cli
