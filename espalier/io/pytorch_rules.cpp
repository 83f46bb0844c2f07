#include <espalier/io/pytorch_rules.h>

#include <algorithm>
#include <charconv>

namespace espalier::io {
namespace {

using Kind = Value::Kind;
using Values = std::vector<Value>;

constexpr int kMaxBits = 128;  // of an element

struct StorageClass {
  std::string_view name, element;
};

// The last part of the class's name; the one in front is torch, torch.cuda or torch.storage.
constexpr StorageClass kStorages[] = {
    {"FloatStorage", "float32"},
    {"DoubleStorage", "float64"},
    {"HalfStorage", "float16"},
    {"BFloat16Storage", "bfloat16"},
    {"LongStorage", "int64"},
    {"IntStorage", "int32"},
    {"ShortStorage", "int16"},
    {"CharStorage", "int8"},
    {"ByteStorage", "uint8"},
    {"BoolStorage", "bool"},
    {"ComplexFloatStorage", "complex64"},
    {"ComplexDoubleStorage", "complex128"},
    {"QInt8Storage", "qint8"},
    {"QUInt8Storage", "quint8"},
    {"QInt32Storage", "qint32"},
    {"UntypedStorage", ""},
    {"_UntypedStorage", ""},
};

// What makes tensors of storages, and what passes its first argument on.
constexpr std::string_view kTensors[] = {"torch._utils._rebuild_tensor", "torch._utils._rebuild_tensor_v2"};
constexpr std::string_view kTensor3 = "torch._utils._rebuild_tensor_v3";
constexpr std::string_view kQuantised = "torch._utils._rebuild_qtensor";
constexpr std::string_view kTyped[] = {"torch._tensor._rebuild_from_type_v2"};
constexpr std::string_view kFirst[] = {"torch._utils._rebuild_parameter",
                                       "torch._utils._rebuild_parameter_with_state",
                                       "torch.Size",
                                       "torch.jit._pickle.build_intlist",
                                       "torch.jit._pickle.build_tensorlist",
                                       "torch.jit._pickle.build_doublelist",
                                       "torch.jit._pickle.build_boollist",
                                       "torch.jit._pickle.restore_type_tag"};

// Names and classes that say something of plain data.
constexpr std::string_view kNames[] = {"torch.Tensor",
                                       "torch.device",
                                       "torch.nn.parameter.Parameter",
                                       "torch.nn.parameter.Buffer",
                                       "torch.serialization._get_layout",
                                       "torch.torch_version.TorchVersion",
                                       "torch.per_tensor_affine",
                                       "torch.per_channel_affine",
                                       "torch.per_channel_affine_float_qparams",
                                       "torch.strided",
                                       "torch.contiguous_format",
                                       "torch.channels_last",
                                       "argparse.Namespace",
                                       "pathlib.PosixPath",
                                       "pathlib.WindowsPath",
                                       "pathlib.PurePosixPath",
                                       "numpy.dtype",
                                       "numpy.ndarray",
                                       "numpy.core.multiarray.scalar",
                                       "numpy.core.multiarray._reconstruct",
                                       "numpy._core.multiarray.scalar",
                                       "numpy._core.multiarray._reconstruct"};

// Where classes of modules live: in TorchScript, in PyTorch and Lightning, and in the script that saved.
constexpr std::string_view kClassPlaces[] = {"__torch__.",
                                             "torch.nn.modules.",
                                             "torch.optim.",
                                             "__main__.",
                                             "pytorch_lightning.callbacks.",
                                             "lightning.pytorch.callbacks."};

// Functions that modules keep as settings: names, which can't be called.
constexpr std::string_view kFunctionPlaces[] = {"torch.nn.functional.", "torch._C._nn."};

template <class List>
bool contains(const List& list, std::string_view name) {
  return std::ranges::find(list, name) != std::end(list);
}

const StorageClass* find_storage(std::string_view global) {
  size_t dot = global.rfind('.');
  std::string_view module = global.substr(0, dot);
  if (module != "torch" && module != "torch.cuda" && module != "torch.storage") return nullptr;
  auto found = std::ranges::find(kStorages, global.substr(dot + 1), &StorageClass::name);
  return found == std::end(kStorages) ? nullptr : found;
}

const ElementType* find_dtype(std::string_view global) {
  return global.starts_with("torch.") ? find_element_type(global.substr(6)) : nullptr;
}

template <class List>
bool is_in(const List& places, std::string_view global) {
  return std::ranges::any_of(places, [&](std::string_view place) { return global.starts_with(place); });
}

int64_t integer(const Value& v, const char* what) {
  require<FileError>(v.is(Kind::integer) && v.integer >= 0, "a tensor's ", what, " is no number, or below 0");
  return v.integer;
}

Shape shape_of(const Value& v, const char* what) {
  require<FileError>(v.is(Kind::tuple) || v.is(Kind::list), "a tensor's ", what, " is no list of numbers");
  require<FileError>(v.items().size() <= kMaxRank, "a tensor has ", v.items().size(),
                     " dimensions, more than the ", kMaxRank, " that Espalier reads");
  Shape out;
  for (const Value& d : v.items()) out.push_back(integer(d, what));
  return out;
}

// The elements must lie within `room`. 64 bits are enough for what passes, and the rest is refused.
void check_inside(const TorchTensor& t, int64_t room) {
  require<FileError>(t.shape.rank() == t.strides.rank(), "a tensor of shape ", t.shape, " has strides ",
                     t.strides);
  bool inside = true, empty = false;
  int64_t last = t.offset, count = 1;
  for (size_t d = 0; d < t.shape.size(); ++d) {
    int64_t size = std::max<int64_t>(t.shape[d], 1), step = 0;
    empty = empty || t.shape[d] == 0;
    inside = inside && !__builtin_mul_overflow(size - 1, t.strides[d], &step) &&
             !__builtin_add_overflow(last, step, &last) && !__builtin_mul_overflow(count, size, &count);
  }
  inside = inside && count <= INT64_MAX / kMaxBits;
  inside = inside && (empty ? t.offset <= room : last < room);
  require<FileError>(inside, "a tensor of shape ", t.shape, ", strides ", t.strides, " and offset ", t.offset,
                     " reaches beyond its storage of ", room, " elements");
}

// The text up to `end`, which must be there, is taken off with it.
std::string_view take_to(std::string_view& text, std::string_view end) {
  size_t at = text.find(end);
  require<FileError>(at != text.npos, "its pickle points to what is no storage of elements");
  std::string_view out = text.substr(0, at);
  text.remove_prefix(at + end.size());
  return out;
}

// Protocol 0 has ids as Python prints them: ('storage', <class 'torch.FloatStorage'>, '0', 'cpu', 6[, None]).
Value id_of_text(ValueArena& arena, std::string_view text) {
  Value id = arena.make(Kind::tuple);
  bool begins = take_to(text, "('").empty();
  id.node->items.push_back(arena.make(Kind::text, take_to(text, "', <class '")));
  id.node->items.push_back(arena.make(Kind::global, take_to(text, "'>, '")));
  id.node->items.push_back(arena.make(Kind::text, take_to(text, "', '")));
  id.node->items.push_back(arena.make(Kind::text, take_to(text, "', ")));
  text = take_to(text, ")");
  if (text.ends_with(", None")) text.remove_suffix(6);
  int64_t elements = 0;
  auto r = std::from_chars(text.data(), text.data() + text.size(), elements);
  require<FileError>(begins && r.ec == std::errc() && r.ptr == text.data() + text.size(),
                     "its pickle points to what is no storage of elements");
  id.node->items.push_back(Value::of(elements));
  return id;
}

}  // namespace

bool TorchRules::knows(std::string_view global) const {
  return contains(kTensors, global) || global == kTensor3 || global == kQuantised ||
         contains(kTyped, global) || contains(kFirst, global) || contains(kNames, global) ||
         find_storage(global) || find_dtype(global) || is_in(kClassPlaces, global) ||
         is_in(kFunctionPlaces, global);
}

std::optional<Value> TorchRules::call(ValueArena& arena, const std::string& global, const Value& args) {
  const Values& a = args.items();
  if (contains(kTensors, global)) return add_tensor(arena, a, nullptr);
  if (global == kQuantised) return add_quantised(arena, a);
  if (global == kTensor3) {
    const ElementType* type = a.size() > 6 && a[6].is(Kind::global) ? find_dtype(a[6].text()) : nullptr;
    require<FileError>(type, "a tensor's element type is not known");
    return add_tensor(arena, a, type);
  }
  if (contains(kTyped, global)) {  // (function, class, its arguments, state)
    bool good =
        a.size() == 4 && a[0].is(Kind::global) && !contains(kTyped, a[0].text()) && a[2].is(Kind::tuple);
    require<FileError>(good, "a tensor is made in a way that is not known");
    return call(arena, a[0].text(), a[2]);
  }
  if (contains(kFirst, global)) {
    require<FileError>(!a.empty(), "its pickle calls ", global, " without arguments");
    return a[0];
  }
  if (!contains(kNames, global) && !is_in(kClassPlaces, global)) return {};
  arena.charge(global.size() + a.size() * sizeof(Value));
  Value object = arena.make(Kind::object, global);
  object.node->items = a;
  return object;
}

// Before PyTorch 1.6 also ("module", class, path, source of the class), which stands for the class.
// ("storage", class, key, device, elements[, None or (key of a view, its offset, its elements)])
Value TorchRules::persistent(ValueArena& arena, const Value& id) {
  if (id.is(Kind::text)) return persistent(arena, id_of_text(arena, id.text()));
  const Values none, &a = id.is(Kind::tuple) ? id.items() : none;
  bool is_class = a.size() == 4 && a[0].is(Kind::text) && a[0].text() == "module" && a[1].is(Kind::global);
  if (is_class) return a[1];
  bool other = a.size() >= 2 && a[1].is(Kind::global) && !find_storage(a[1].text());
  require<FileError>(!other, "its pickle names ", printable(other ? a[1].text() : ""),
                     ", which is no storage of elements");
  bool good = a.size() >= 5 && a.size() <= 6 && a[0].is(Kind::text) && a[0].text() == "storage" &&
              a[1].is(Kind::global) && find_storage(a[1].text()) && a[2].is(Kind::text);
  require<FileError>(good, "its pickle points to what is no storage of elements");
  const ElementType* type = find_element_type(find_storage(a[1].text())->element);
  int64_t size = type ? type->bits / 8 : 1, bytes = 0;
  bool fits = !__builtin_mul_overflow(integer(a[4], "storage's size"), size, &bytes);
  require<FileError>(fits, "a storage has ", a[4].integer, " elements");
  const std::string& key = a[2].text();
  auto [place, is_new] = places_.try_emplace(key, storages_.size());
  if (is_new) storages_.push_back({key, type, bytes});
  const TorchStorage& known = storages_[place->second];
  require<FileError>(known.bytes == bytes && known.type == type, "the storage '", printable(key),
                     "' has two sizes or types");
  View view{place->second, 0, bytes, type};
  if (a.size() == 6 && a[5].is(Kind::tuple)) {
    require<FileError>(a[5].items().size() == 3, "a view of a storage is damaged");
    int64_t offset = integer(a[5].items()[1], "view's offset"),
            elements = integer(a[5].items()[2], "view's size");
    require<FileError>(offset <= bytes / size && elements <= bytes / size - offset,
                       "a view reaches beyond the storage '", printable(key), "'");
    view = {place->second, offset * size, elements * size, type};
  }
  views_.push_back(view);
  return arena.make_index(Kind::storage, views_.size() - 1);
}

// (storage, offset, shape, strides, …)
Value TorchRules::add_tensor(ValueArena& arena, const Values& a, const ElementType* type) {
  require<FileError>(a.size() >= 4 && a[0].is(Kind::storage), "a tensor is made of what is no storage");
  const View& view = views_[static_cast<size_t>(a[0].index())];
  if (!type) type = view.type;
  require<FileError>(type && (!view.type || view.type == type),
                     "a tensor's element type is not that of its storage");
  int64_t size = type->bits / 8;
  require<FileError>(size > 0 && view.begin % size == 0, "a tensor's elements are not whole bytes");
  TorchTensor t{type, view.storage, integer(a[1], "offset"), shape_of(a[2], "shape"),
                shape_of(a[3], "strides")};
  check_inside(t, view.bytes / size);
  t.offset += view.begin / size;
  tensors_.push_back(t);
  return arena.make_index(Kind::tensor, tensors_.size() - 1);
}

// As a tensor, then (scheme, scale, zero point) or (scheme, scales, zero points, axis).
Value TorchRules::add_quantised(ValueArena& arena, const Values& a) {
  const Values none, &q = a.size() > 4 && a[4].is(Kind::tuple) ? a[4].items() : none;
  require<FileError>(q.size() >= 3 && q[0].is(Kind::global),
                     "a tensor is quantised in a way that is not known");
  Value value = add_tensor(arena, a, nullptr);
  TorchTensor& t = tensors_.back();
  require<FileError>(t.type->name.starts_with('q'), "a quantised tensor is of type ", t.type->name);
  TorchQuantizer own;
  if (q[0].text() == "torch.per_tensor_affine") {
    bool good = q.size() == 3 && q[1].is(Kind::real) && q[2].is(Kind::integer);
    require<FileError>(good, "a quantised tensor's scale or zero point is no number");
    own = {.scale = q[1].real, .zero_point = q[2].integer, .axis = {}};
  } else {
    bool good = q[0].text().starts_with("torch.per_channel_affine") && q.size() == 4 &&
                q[3].is(Kind::integer) && q[3].integer >= 0 &&
                q[3].integer < static_cast<int64_t>(t.shape.rank());
    require<FileError>(good, "a tensor is quantised in a way that is not known");
    own.axis = q[3].integer;
    int64_t slices = t.shape[static_cast<size_t>(*own.axis)];
    own.scales = per_slice(q[1], slices), own.zero_points = per_slice(q[2], slices);
  }
  t.quantizer = own;
  return value;
}

// Which tensor it is that holds a number for each slice of a quantised one.
size_t TorchRules::per_slice(const Value& tensor, int64_t slices) const {
  constexpr std::string_view kNumbers[] = {"float32", "float64", "int32", "int64"};
  require<FileError>(tensor.is(Kind::tensor), "a quantised tensor's scales or zero points are no tensor");
  auto index = static_cast<size_t>(tensor.index());
  const TorchTensor& t = tensors_[index];
  require<FileError>(t.shape == Shape({slices}) && contains(kNumbers, t.type->name), "a quantised tensor of ",
                     slices, " slices has scales or zero points of type ", t.type->name, " and shape ",
                     t.shape);
  return index;
}

}  // namespace espalier::io
