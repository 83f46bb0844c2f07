#pragma once

#include <string>

#include <espalier/data/dataset.h>

namespace espalier::data {

// MNIST and Fashion-MNIST from their IDX files (train-images-idx3-ubyte, train-labels-idx1-ubyte and the same
// with t10k), as they are or with gzip (.gz): images [N, 1, 28, 28]. Throws FileError for what is missing or
// damaged.
Splits mnist(const std::string& folder);
Splits fashion_mnist(const std::string& folder = "/usr/share/datasets/fashion-mnist");

}  // namespace espalier::data
