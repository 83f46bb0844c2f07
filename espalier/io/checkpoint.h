#pragma once

#include <espalier/io/tree.h>

// Whole checkpoints, as torch.save writes and torch.load(…, weights_only=True) reads them:
//   save({{"epoch", 3}, {"model", model.state_dict()}, {"optimizer", optimizer.state_dict()}}, "last.pt");
//   io::Tree checkpoint = load("last.pt");
//   model.load_state_dict(checkpoint["model"]);
namespace espalier {

// The file is complete under its name, or what was there before stays.
void save(const io::Tree& checkpoint, const std::string& path);
// Nothing in the file is executed. Throws FileError for a file that is none of PyTorch's, or unsound.
io::Tree load(const std::string& path);

}  // namespace espalier
