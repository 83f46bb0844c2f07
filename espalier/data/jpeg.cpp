#include <csetjmp>
#include <cstdio>

#include <jpeglib.h>

#include <jerror.h>

#include <espalier/core/error.h>
#include <espalier/data/image_codecs.h>

namespace espalier::data {
namespace {

// libjpeg reports errors by callbacks that must not return; they jump back to where the reader called the
// library.
struct ErrorManager : jpeg_error_mgr {
  std::jmp_buf back;
  char message[JMSG_LENGTH_MAX] = "";
};

[[noreturn]] void on_error(j_common_ptr info) {
  auto* errors = static_cast<ErrorManager*>(info->err);
  errors->format_message(info, errors->message);
  std::longjmp(errors->back, 1);
}

// A warning means that pixels are made up, except where bytes between two parts are skipped.
void on_message(j_common_ptr info, int level) {
  if (level < 0 && info->err->msg_code != JWRN_EXTRANEOUS_DATA) on_error(info);
}

class Decoder {
 public:
  explicit Decoder(std::span<const std::byte> file) : file_(file) {
    info_.err = jpeg_std_error(&errors_);
    errors_.error_exit = on_error;
    errors_.emit_message = on_message;
  }
  ~Decoder() { jpeg_destroy_decompress(&info_); }
  Decoder(const Decoder&) = delete;
  Decoder& operator=(const Decoder&) = delete;

  Pixels decode(int64_t most_pixels) {
    require_ok(begin());
    check_image_size(info_.output_height, info_.output_width, most_pixels);
    Pixels out{info_.output_height, info_.output_width, 3, {}};
    out.bytes.resize(static_cast<size_t>(out.height * out.width * 3));
    require_ok(read_rows(out.bytes.data()));
    return out;
  }

 private:
  void require_ok(bool ok) const {
    require<FileError>(ok, "it is a damaged JPEG, or of a kind that is not read (", errors_.message, ")");
  }

  // These two hold nothing that a jump over them would leave behind.
  bool begin() {
    if (setjmp(errors_.back) != 0) return false;
    jpeg_create_decompress(&info_);
    jpeg_mem_src(&info_, reinterpret_cast<const unsigned char*>(file_.data()),
                 static_cast<unsigned long>(file_.size()));
    jpeg_read_header(&info_, TRUE);
    info_.out_color_space = JCS_RGB;
    jpeg_calc_output_dimensions(&info_);
    return true;
  }

  bool read_rows(uint8_t* bytes) {
    if (setjmp(errors_.back) != 0) return false;
    jpeg_start_decompress(&info_);
    while (info_.output_scanline < info_.output_height) {
      JSAMPROW row = bytes + size_t{info_.output_scanline} * info_.output_width * 3;
      jpeg_read_scanlines(&info_, &row, 1);
    }
    jpeg_finish_decompress(&info_);
    return true;
  }

  std::span<const std::byte> file_;
  ErrorManager errors_;
  jpeg_decompress_struct info_{};
};

}  // namespace

Pixels decode_jpeg(std::span<const std::byte> file, int64_t most_pixels) {
  return Decoder(file).decode(most_pixels);
}

}  // namespace espalier::data
