#pragma once

#include <iterator>
#include <vector>

#include <espalier/autograd/tensor.h>
#include <espalier/core/shared.h>
#include <espalier/data/dataset.h>
#include <espalier/data/transforms.h>

namespace espalier::data {

struct LoaderOptions {
  int64_t batch_size = 64;
  bool shuffle = false;    // a new order each epoch
  int workers = 2;         // threads that prepare batches ahead; 0: the calling thread does it
  bool drop_last = false;  // leave out a last batch that is smaller
  std::vector<Transform> transform = {};
};

struct Batch {
  Tensor x;  // float32 [B, C, H, W]; uint8 pixels that no transform made floats become 0 to 1
  Tensor y;  // int64 [B]
};

// Goes through a data set in batches: `for (auto& [x, y] : loader)` is one epoch. As PyTorch's DataLoader it
// draws the epoch's seeds from default_generator() when the epoch begins, so that the same seed gives
// PyTorch's order. Random transforms draw from a generator seeded by the epoch and the image alone: batches
// do not depend on `workers`. What a transform throws is thrown when its batch is due. An epoch may be left
// early.
class DataLoader {
  class Epoch;

 public:
  class Iterator {
   public:
    using value_type = Batch;
    using difference_type = std::ptrdiff_t;
    using iterator_category = std::input_iterator_tag;

    Batch& operator*() { return batch_; }
    Batch* operator->() { return &batch_; }
    Iterator& operator++();
    bool operator==(std::default_sentinel_t) const { return epoch_ == nullptr; }

   private:
    friend DataLoader;
    explicit Iterator(Shared<Epoch> epoch);

    Shared<Epoch> epoch_;  // null at the end
    Batch batch_;
  };

  // Throws where the data set or an option is not as it must be.
  explicit DataLoader(ImageDataset dataset, LoaderOptions options = {});

  int64_t size() const;  // batches in an epoch
  const ImageDataset& dataset() const { return source_->dataset; }
  const LoaderOptions& options() const { return source_->options; }

  Iterator begin() const;
  std::default_sentinel_t end() const { return {}; }

 private:
  struct Source {
    ImageDataset dataset;
    LoaderOptions options;
  };
  Shared<const Source> source_;
};

}  // namespace espalier::data
