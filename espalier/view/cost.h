#pragma once

#include <string>
#include <vector>

#include <espalier/trace/machine.h>
#include <espalier/trace/record.h>

namespace espalier::view {

// What a stage costs in a step: one direction of it.
struct Work {
  double seconds = 0;
  double flops = 0;
  double bytes = 0;  // read and written at least: inputs, parameters and outputs, once each

  // The least time that the machine needs for it, by arithmetic or by memory.
  double least(const trace::Machine& machine) const;
  Work& operator+=(const Work& more);
};

struct CostRow {
  std::string stage, kind = {};
  Work forward = {}, backward = {};
  double kept = 0;        // bytes of its output, which the backward may need
  double parameters = 0;  // bytes
};

// A row per stage of the record. The backward of a product or convolution is two of its forwards, one for the
// input and one for the weights; one where the input needs no gradient. Of all else it is one.
std::vector<CostRow> cost_rows(const trace::Record& record);
CostRow total(const std::vector<CostRow>& rows);

// The rows as a table of text, with the sum.
std::string cost(const trace::Record& record, const trace::Machine& machine = {});

}  // namespace espalier::view
