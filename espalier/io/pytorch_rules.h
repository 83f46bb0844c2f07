#pragma once

#include <optional>
#include <set>
#include <unordered_map>

#include <espalier/core/shape.h>
#include <espalier/io/element_type.h>
#include <espalier/io/pickle.h>

namespace espalier::io {

// A block of elements that a pickle of PyTorch's points to by its key.
struct TorchStorage {
  std::string key;
  const ElementType* type = nullptr;  // null where the pickle counts bytes
  int64_t bytes = 0;
};

// How a quantised tensor's numbers stand for values: by one scale and zero point, or by tensors of them.
struct TorchQuantizer {
  double scale = 1;
  int64_t zero_point = 0;
  std::optional<int64_t> axis;
  size_t scales = 0, zero_points = 0;  // which of the file's tensors
};

// A tensor as a pickle of PyTorch's describes it; it lies inside its storage.
struct TorchTensor {
  const ElementType* type = nullptr;
  size_t storage = 0;
  int64_t offset = 0;  // in elements, as the strides
  Shape shape;
  Strides strides;
  std::optional<TorchQuantizer> quantizer = {};
};

// What pickles of PyTorch's hold beside plain data.
class TorchRules : public PickleRules {
 public:
  bool knows(std::string_view global) const override;
  std::optional<Value> call(ValueArena& arena, const std::string& global, const Value& args) override;
  Value persistent(ValueArena& arena, const Value& id) override;
  bool takes_modules() const override { return true; }
  void found_module(const std::string& cls) override { modules_.insert(cls); }

  const std::vector<TorchStorage>& storages() const { return storages_; }
  const std::vector<TorchTensor>& tensors() const { return tensors_; }
  const std::set<std::string>& modules() const { return modules_; }  // classes of other packages

 private:
  struct View {
    size_t storage;
    int64_t begin, bytes;  // the part of it that is meant, in bytes
    const ElementType* type;
  };
  Value add_tensor(ValueArena& arena, const std::vector<Value>& args, const ElementType* type);
  Value add_quantised(ValueArena& arena, const std::vector<Value>& args);
  size_t per_slice(const Value& tensor, int64_t slices) const;

  std::vector<TorchStorage> storages_;
  std::unordered_map<std::string, size_t> places_;  // of keys
  std::vector<View> views_;                         // what values of the kind `storage` stand for
  std::vector<TorchTensor> tensors_;
  std::set<std::string> modules_;
};

}  // namespace espalier::io
