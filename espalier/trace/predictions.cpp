#include <espalier/trace/predictions.h>

#include <algorithm>
#include <numeric>

#include <espalier/core/error.h>
#include <espalier/io/safetensors.h>

namespace espalier::trace {
namespace {

constexpr const char* kVersion = "1";

template <class T>
Array array_of(const std::vector<T>& values, const Shape& shape) {
  Array a = Array::empty(shape, dtype_of<T>());
  if (!values.empty()) std::copy(values.begin(), values.end(), a.data<T>());
  return a;
}

// An open file of ours, whose arrays are known by name, dtype and rank.
class Reader {
 public:
  explicit Reader(const std::string& path) : path_(path), file_(path) {
    auto version = file_.metadata().find("version");
    check(version != file_.metadata().end() && version->second == kVersion, "it is not of version ",
          kVersion);
  }

  template <class... Parts>
  void check(bool ok, const Parts&... parts) const {
    require<FileError>(ok, path_, ": ", parts...);
  }
  Array array(const std::string& name, DType dtype, int rank) const {
    Array a = file_.array(name);
    check(a.dtype == dtype && a.rank() == rank, "`", name, "` is ", espalier::name(a.dtype), " ", a.shape);
    return a;
  }
  template <class T>
  std::vector<T> values(const std::string& name, const Shape& shape) const {
    Array a = array(name, dtype_of<T>(), shape.rank());
    check(a.shape == shape, "`", name, "` is ", a.shape, ", not ", shape);
    return a.numel() == 0 ? std::vector<T>() : std::vector<T>(a.data<T>(), a.data<T>() + a.numel());
  }
  int64_t number(const std::string& key) const {
    auto found = file_.metadata().find(key);
    check(found != file_.metadata().end(), "`", key, "` is missing");
    int64_t value = std::strtoll(found->second.c_str(), nullptr, 10);
    check(value > 0, "`", key, "` is ", printable(found->second));
    return value;
  }
  void check_classes(const std::vector<int32_t>& list, int64_t classes) const {
    for (int32_t c : list) check(c >= 0 && c < classes, "there is no class ", c, " of ", classes);
  }

 private:
  std::string path_;
  io::SafetensorsFile file_;
};

}  // namespace

void write_predictions(const std::string& path, const Predictions& p) {
  int64_t n = p.size();
  io::write_safetensors(path,
                        {{"label", array_of(p.label, {n})},
                         {"right", array_of(p.right, {n})},
                         {"top", array_of(p.top, {n, p.kept})},
                         {"probability", array_of(p.probability, {n, p.kept})}},
                        {{"version", kVersion}, {"classes", std::to_string(p.classes)}});
}

Predictions read_predictions(const std::string& path) {
  Reader file(path);
  Predictions p;
  Array top = file.array("top", int32, 2);
  int64_t n = top.shape[0];
  p.classes = file.number("classes");
  p.kept = top.shape[1];
  file.check(p.kept > 0 && p.kept <= p.classes, "it keeps ", p.kept, " of ", p.classes, " classes");
  p.label = file.values<int32_t>("label", {n});
  p.right = file.values<float>("right", {n});
  p.top = file.values<int32_t>("top", {n, p.kept});
  p.probability = file.values<float>("probability", {n, p.kept});
  file.check_classes(p.label, p.classes);
  file.check_classes(p.top, p.classes);
  return p;
}

std::vector<int64_t> confusion(const Predictions& p) {
  std::vector<int64_t> out(static_cast<size_t>(p.classes * p.classes));
  for (int64_t i = 0; i < p.size(); ++i) ++out[p.label[i] * p.classes + p.best(i)];
  return out;
}

std::vector<ClassFigures> class_figures(const Predictions& p) {
  auto counts = confusion(p);
  auto share = [](int64_t part, int64_t of) {
    return of == 0 ? 0 : static_cast<double>(part) / static_cast<double>(of);
  };
  std::vector<ClassFigures> out;
  for (int64_t c = 0; c < p.classes; ++c) {
    int64_t of = 0, taken = 0, right = counts[c * p.classes + c];
    for (int64_t k = 0; k < p.classes; ++k)
      of += counts[c * p.classes + k], taken += counts[k * p.classes + c];
    out.push_back({of, share(right, taken), share(right, of)});
  }
  return out;
}

std::vector<int64_t> confident_mistakes(const Predictions& p, int64_t most) {
  std::vector<int64_t> out;
  for (int64_t i = 0; i < p.size(); ++i) {
    if (p.wrong(i)) out.push_back(i);
  }
  std::ranges::stable_sort(out, std::greater(), [&](int64_t i) { return p.confidence(i); });
  if (static_cast<int64_t>(out.size()) > most) out.resize(static_cast<size_t>(most));
  return out;
}

int64_t Pictures::find(int64_t i) const {
  auto found = std::ranges::lower_bound(index, i);
  return found == index.end() || *found != i ? -1 : found - index.begin();
}

void write_pictures(const std::string& path, const Pictures& pictures) {
  auto n = static_cast<int64_t>(pictures.index.size());
  auto traced = static_cast<int64_t>(pictures.traced.size());
  io::write_safetensors(path,
                        {{"index", array_of(pictures.index, {n})},
                         {"images", pictures.images},
                         {"traced", array_of(pictures.traced, {traced})}},
                        {{"version", kVersion}});
}

Pictures read_pictures(const std::string& path) {
  Reader file(path);
  Pictures p{{}, file.array("images", uint8, 4), {}};
  p.index = file.values<int64_t>("index", {p.images.shape[0]});
  file.check(std::ranges::is_sorted(p.index), "its images are not in order");
  p.traced = file.values<int64_t>("traced", file.array("traced", int64, 1).shape);
  for (int64_t i : p.traced) file.check(p.find(i) >= 0, "there is no picture of image ", i);
  file.check(p.images.shape[1] == 1 || p.images.shape[1] == 3, "its images have ", p.images.shape[1],
             " channels");
  return p;
}

}  // namespace espalier::trace
