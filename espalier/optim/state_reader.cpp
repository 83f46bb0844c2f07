#include <espalier/optim/state_reader.h>

#include <cmath>

#include <espalier/core/error.h>

namespace espalier::optim {
namespace {

using Kind = io::Tree::Kind;

std::string place(const std::string& where, std::string_view key) {
  return where.empty() ? std::string(key) : concat(where, ".", key);
}

}  // namespace

const io::Tree* StateReader::item(const io::Tree& from, std::string_view key, const std::string& where) {
  const io::Tree* found = from.is(Kind::dict) ? from.find(std::string(key)) : nullptr;
  if (!found) problem("missing: " + place(where, key));
  return found;
}

template <class F>
void StateReader::checked(std::string_view key, const std::string& where, F&& read) {
  try {
    read();
  } catch (const Error& e) {
    problem(concat(place(where, key), ": ", e.what()));
  }
}

const io::Tree* StateReader::dict(const io::Tree& from, const char* key) {
  const io::Tree* found = item(from, key, "");
  if (!found || found->is(Kind::dict)) return found;
  problem(concat(key, ": it is no dictionary"));
  return nullptr;
}

const io::Tree* StateReader::list(const io::Tree& from, const char* key, const std::string& where) {
  const io::Tree* found = item(from, key, where);
  if (!found || found->is(Kind::list) || found->is(Kind::tuple)) return found;
  problem(concat(place(where, key), ": it is no list"));
  return nullptr;
}

double StateReader::number(const io::Tree& from, std::string_view key, const std::string& where) {
  const io::Tree* found = item(from, key, where);
  double out = 0;
  if (found)
    checked(key, where, [&] { out = found->is(Kind::boolean) ? found->boolean() : found->number(); });
  return out;
}

int64_t StateReader::count(const io::Tree& from, std::string_view key, const std::string& where) {
  double number = this->number(from, key, where);
  if (number >= 0 && number < 0x1p53 && number == std::floor(number)) return static_cast<int64_t>(number);
  problem(concat(place(where, key), ": must be a count, got ", number));
  return 0;
}

std::vector<double> StateReader::numbers(const io::Tree& from, const char* key, const std::string& where) {
  std::vector<double> out;
  if (const io::Tree* found = list(from, key, where)) {
    checked(key, where, [&] {
      for (const io::Tree& item : found->items()) out.push_back(item.number());
    });
  }
  return out;
}

Tensor StateReader::tensor(const io::Tree& from, std::string_view key, const std::string& where,
                           const Shape& shape) {
  const io::Tree* found = item(from, key, where);
  Tensor out;
  if (found) checked(key, where, [&] { out = Tensor(found->array()); });
  if (!out.defined() || out.shape() == shape) return out;
  problem(concat(place(where, key), ": saved with shape ", out.shape(), ", needed ", shape));
  return {};
}

void StateReader::finish() const {
  require<StateError>(problems_.empty(), kind_,
                      ": the saved state does not fit; nothing was changed:", problems_);
}

}  // namespace espalier::optim
