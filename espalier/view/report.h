#pragma once

#include <string>

#include <espalier/core/callable.h>
#include <espalier/view/html.h>
#include <espalier/view/run_data.h>

namespace espalier::view {

// One way to look at a run. `id` is its address in the page: report.html#data-flow.
struct View {
  const char* id;
  const char* title;
  Html (*content)(const RunData&);
};

// In the order of the tabs; a view is a file report/ID.cpp and a row in report.cpp.
const std::vector<View>& views();

struct PageOptions {
  bool live = false;  // served: the page may ask its own server for news, and live.js runs
  bool views = true;  // it has those of a run
};

// A page around `content`, under the same strict policy: nothing is fetched, no script but its own runs.
std::string document(const std::string& title, const Html& content, const PageOptions& options = {});
// What stands in the head of a run's page: model, data, how far it is.
Html facts(const RunData& run);
Html theme_button();

// The page of a run: one HTML file that holds all it needs, asks nothing of the network and runs no script
// but its own.
std::string report(const RunData& run, const PageOptions& options = {});
// The same with what `content` gives for a view: one that was made before, say.
std::string report(const RunData& run, const PageOptions& options,
                   const Callable<Html(const View&)>& content);

}  // namespace espalier::view
