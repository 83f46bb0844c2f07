#include <espalier/io/checkpoint.h>

#include <espalier/io/pytorch.h>

namespace espalier {

void save(const io::Tree& checkpoint, const std::string& path) { io::write_pytorch(path, checkpoint); }

io::Tree load(const std::string& path) { return io::TorchFile(path).tree(); }

}  // namespace espalier
