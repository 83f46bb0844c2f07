#include <algorithm>
#include <cmath>
#include <cstring>
#include <iostream>
#include <map>

#include <CLI/CLI.hpp>

#include <espalier/core/error.h>
#include <espalier/core/table.h>
#include <espalier/io/quantizer.h>
#include <espalier/io/weights.h>

#include "verbs.h"

namespace espalier::cli {
namespace {

struct Options {
  std::string a, b;
};

using Tensors = std::map<std::string, io::StoredTensor>;

Tensors by_name(const std::string& path) {
  io::WeightsFile file(path);
  Tensors out;
  for (const auto& t : file.tensors()) out.emplace(t.name, t);
  for (const auto& [name, position] : file.aliases()) out.emplace(name, file.tensors()[position]);
  return out;
}

bool same_bytes(const io::StoredTensor& a, const io::StoredTensor& b) {
  std::string buffer_a, buffer_b;
  return std::ranges::equal(io::row_major_bytes(a, buffer_a), io::row_major_bytes(b, buffer_b));
}

struct Distance {
  int64_t count = 0;   // of elements that differ
  double largest = 0;  // NaN where only one of two is NaN
};

template <class T>
Distance distance(std::span<const std::byte> a, std::span<const std::byte> b) {
  Distance d;
  for (size_t at = 0; at < a.size(); at += sizeof(T)) {
    T x, y;
    std::memcpy(&x, a.data() + at, sizeof x);
    std::memcpy(&y, b.data() + at, sizeof y);
    if (x == y || (x != x && y != y)) continue;
    ++d.count;
    double apart = std::abs(static_cast<double>(x) - static_cast<double>(y));
    if (!(apart <= d.largest)) d.largest = d.largest != d.largest ? d.largest : apart;
  }
  return d;
}

std::span<const std::byte> bytes_of(const Array& a) {
  return {static_cast<const std::byte*>(a.data()), static_cast<size_t>(a.bytes())};
}

// The elements in row-major order, of a type that can be computed with.
std::span<const std::byte> plain_bytes(const io::StoredTensor& t, std::string& buffer, Array& wide) {
  if (t.type->dtype) return io::row_major_bytes(t, buffer);
  wide = io::to_array(t);
  return bytes_of(wide);
}

std::string numbers_text(const Distance& d, int64_t of) {
  return concat(text::grouped(d.count), " of ", text::grouped(of), " values by up to ", d.largest);
}

// By the values that the numbers stand for.
std::string quantised_difference(const io::StoredTensor& a, const io::StoredTensor& b) {
  if (!a.quantizer || !b.quantizer) return "only one has a scale and zero point";
  if (*a.quantizer == *b.quantizer && same_bytes(a, b)) return "";
  Array x = io::dequantize(a), y = io::dequantize(b);
  Distance d = distance<float>(bytes_of(x), bytes_of(y));
  return d.count ? numbers_text(d, a.shape.numel()) : "quantised otherwise, to the same values";
}

std::string difference(const io::StoredTensor& a, const io::StoredTensor& b) {
  if (a.shape != b.shape) return concat("shape ", a.shape, " and ", b.shape);
  if (a.type != b.type) return concat(a.type->name, " and ", b.type->name);
  if (a.quantizer || b.quantizer) return quantised_difference(a, b);
  if (same_bytes(a, b)) return "";
  if (!a.type->array_dtype() || a.type->name == "uint64") return "values";
  std::string buffer_a, buffer_b;
  Array wide_a, wide_b;
  auto x = plain_bytes(a, buffer_a, wide_a), y = plain_bytes(b, buffer_b, wide_b);
  Distance d = visit_dtype(*a.type->array_dtype(), [&](auto t) { return distance<decltype(t)>(x, y); });
  if (d.count == 0) return "the bits of zeros or NaNs";
  return numbers_text(d, a.shape.numel());
}

void run(const Options& o) {
  Tensors a = by_name(o.a), b = by_name(o.b);
  std::vector<std::vector<std::string>> rows{{"name", "difference"}};
  for (const auto& [name, tensor] : a) {
    auto other = b.find(name);
    std::string text = other == b.end() ? "only in the first" : difference(tensor, other->second);
    if (!text.empty()) rows.push_back({printable(name), text});
  }
  for (const auto& [name, tensor] : b) {
    if (!a.count(name)) rows.push_back({printable(name), "only in the second"});
  }
  if (rows.size() == 1) {
    std::cout << "the same " << text::grouped(static_cast<int64_t>(a.size())) << " tensors\n";
    return;
  }
  std::cout << text::table(rows, {});
  std::cout.flush();
  throw ValueError(concat("'", o.a, "' and '", o.b, "' differ in ", rows.size() - 1, " tensors"));
}

}  // namespace

Work diff(CLI::App& command, const Common&) {
  auto o = std::make_shared<Options>();
  command.add_option("a", o->a, "A file of weights in any format")->required();
  command.add_option("b", o->b, "Another")->required();
  return [o] { run(*o); };
}

}  // namespace espalier::cli
