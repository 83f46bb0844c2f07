#include <espalier/core/error.h>
#include <espalier/io/pickle.h>
#include <espalier/io/pytorch_rules.h>

// Any bytes are either refused with a FileError, or every tensor lies inside its storage.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  try {
    espalier::io::ValueArena arena;
    espalier::io::TorchRules rules;
    espalier::io::ByteReader bytes(std::as_bytes(std::span(data, size)));
    read_pickle(bytes, arena, rules);
    for (const auto& t : rules.tensors()) {
      int64_t last = t.offset;
      for (size_t d = 0; d < t.shape.size(); ++d) last += (t.shape[d] - 1) * t.strides[d];
      if (t.shape.numel() > 0 && (last + 1) * t.type->bits / 8 > rules.storages()[t.storage].bytes)
        __builtin_trap();
    }
  } catch (const espalier::FileError&) {
  }
  return 0;
}
