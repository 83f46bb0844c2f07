#pragma once

#include <string>

#include <espalier/data/dataset.h>

namespace espalier::data {

// CIFAR-10 and CIFAR-100 in their binary format (data_batch_1.bin … data_batch_5.bin and test_batch.bin;
// train.bin and test.bin, fine labels), from `folder` or the folder that their archives make in it: images
// [N, 3, 32, 32]. Files that are missing are left out and named in `notes`. Throws FileError when there are
// no training images, or when a file is damaged.
Splits cifar10(const std::string& folder);
Splits cifar100(const std::string& folder);

}  // namespace espalier::data
