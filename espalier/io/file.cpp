#include <espalier/core/error.h>
#include <espalier/io/file.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

namespace espalier::io {

std::string folder_of(const std::string& path) {
  auto slash = path.rfind('/');
  return slash == std::string::npos ? "./" : path.substr(0, slash + 1);
}

namespace {

const char* advice(int error) {
  switch (error) {
    case ENOENT: return "; check the path";
    case EACCES:
    case EPERM: return "; check the permissions of the file and of its folder";
    case ENOSPC:
    case EDQUOT: return "; free some space, or save elsewhere";
    case EFBIG: return "; raise the limit on the size of files (ulimit -f), or save elsewhere";
    case ELOOP: return "; links are not followed here, copy the file";
    case EROFS: return "; save elsewhere";
    default: return "";
  }
}

[[noreturn]] void fail(const char* what, const std::string& path, int error = errno) {
  throw FileError(
      concat("can't ", what, " '", path, "': ", std::generic_category().message(error), advice(error)));
}

class File {
 public:
  File(const char* what, const std::string& path, int flags)
      : file_(::open(path.c_str(), flags | O_CLOEXEC, 0666)) {
    if (file_ < 0) fail(what, path);
  }
  // In an open folder.
  File(const char* what, const std::string& path, const File& folder, const std::string& name, int flags)
      : file_(::openat(folder, name.c_str(), flags | O_CLOEXEC)) {
    if (file_ < 0) fail(what, path);
  }
  ~File() { ::close(file_); }
  File(const File&) = delete;
  File& operator=(File&& other) noexcept {
    std::swap(file_, other.file_);
    return *this;
  }
  operator int() const { return file_; }

 private:
  int file_;
};

size_t size_of(int file, const std::string& path) {
  struct stat info;
  if (::fstat(file, &info) != 0) fail("read", path);
  require<FileError>(!S_ISDIR(info.st_mode), "can't read '", path, "': it is a folder; give a file");
  require<FileError>(S_ISREG(info.st_mode), "can't read '", path, "': it is not an ordinary file");
  return static_cast<size_t>(info.st_size);
}

// While one lives, a write over the limit on the size of files fails, where else the system kills the
// process.
class NoSizeSignal {
 public:
  NoSizeSignal() {
    sigemptyset(&signal_);
    sigaddset(&signal_, SIGXFSZ);
    ::pthread_sigmask(SIG_BLOCK, &signal_, &before_);
  }
  ~NoSizeSignal() {
    int error = errno;
    timespec now{};
    while (::sigtimedwait(&signal_, nullptr, &now) > 0) {
    }
    ::pthread_sigmask(SIG_SETMASK, &before_, nullptr);
    errno = error;
  }
  NoSizeSignal(const NoSizeSignal&) = delete;
  NoSizeSignal& operator=(const NoSizeSignal&) = delete;

 private:
  sigset_t signal_, before_;
};

// False, with errno set, when not all could be written.
bool write_all(int file, const char* data, size_t bytes) {
  NoSizeSignal guard;
  while (bytes > 0) {
    ssize_t n = ::write(file, data, bytes);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    data += n;
    bytes -= static_cast<size_t>(n);
  }
  return true;
}

// Where a write to `path` ends up. Throws for what can't be replaced by a file.
std::string follow_links(const std::string& path) {
  namespace fs = std::filesystem;
  std::error_code error;
  fs::path target = path;
  if (fs::is_symlink(target, error)) {
    target = fs::weakly_canonical(target, error);
    if (error) fail("write", path, error.value());
  }
  auto status = fs::status(target, error);
  require<FileError>(!fs::is_directory(status), "can't write '", path, "': it is a folder; give a file name");
  require<FileError>(!fs::exists(status) || fs::is_regular_file(status), "can't write '", path,
                     "': it is not an ordinary file; save elsewhere");
  fs::path folder = target.parent_path();
  require<FileError>(folder.empty() || fs::is_directory(folder, error), "can't write '", path,
                     "': there is no folder '", folder.string(), "'; make it first");
  return target.string();
}

// Where the system shows an open file that has no name.
std::string shown(int file) { return concat("/proc/self/fd/", file); }

// The name that a rename gave is on the disk only once its folder is. Some file systems can't be asked for
// that.
void sync_folder(const std::string& path) {
  File folder("write", folder_of(path), O_RDONLY | O_DIRECTORY);
  if (::fsync(folder) != 0 && errno != EINVAL && errno != ENOTSUP) fail("write", path);
}

struct Mapping {
  size_t bytes;
  int file;  // below 0 where there was no further number for it
};

// Where files are mapped.
struct Mappings {
  std::mutex mutex;
  std::map<uintptr_t, Mapping> all;  // by where they begin
};
Mappings& mappings() {
  static auto* all = new Mappings;  // outlives every mapping
  return *all;
}

void unmap(void* data, size_t bytes) {
  std::lock_guard lock(mappings().mutex);
  auto mapping = mappings().all.extract(reinterpret_cast<uintptr_t>(data));
  if (mapping.mapped().file >= 0) ::close(mapping.mapped().file);
  ::munmap(data, bytes);
}

MappedFile map_open_file(const File& file, const std::string& path) {
  size_t bytes = size_of(file, path);
  if (bytes == 0) return {};
  std::lock_guard lock(mappings().mutex);
  void* data = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE, file, 0);
  if (data == MAP_FAILED) fail("read", path);
  mappings().all[reinterpret_cast<uintptr_t>(data)] = {bytes, ::fcntl(file, F_DUPFD_CLOEXEC, 0)};
  std::shared_ptr<void> owner(data, [bytes](void* p) { unmap(p, bytes); });
  return {std::move(owner), {static_cast<std::byte*>(data), bytes}};
}

}  // namespace

std::string temporary_beside(const std::string& path) {
  static std::atomic<unsigned> count{0};
  return concat(folder_of(path), ".espalier-", ::getpid(), "-", count++, ".tmp");
}

namespace {

std::string read_from(const std::string& path, size_t from) {
  File file("read", path, O_RDONLY);
  size_t size = size_of(file, path);
  std::string text(size - std::min(from, size), '\0');
  size_t done = 0;
  while (done < text.size()) {
    ssize_t n = ::pread(file, text.data() + done, text.size() - done, static_cast<off_t>(from + done));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) fail("read", path);
    if (n == 0) break;
    done += static_cast<size_t>(n);
  }
  text.resize(done);
  return text;
}

}  // namespace

std::string read_file(const std::string& path) { return read_from(path, 0); }

MappedFile map_file(const std::string& path) { return map_open_file(File("read", path, O_RDONLY), path); }

MappedFile map_beneath(const std::string& folder, const std::string& relative) {
  std::string path = folder + printable(relative);
  File place("read", folder.empty() ? "." : folder, O_RDONLY | O_DIRECTORY);
  for (size_t begin = 0; begin <= relative.size();) {
    size_t end = std::min(relative.find('/', begin), relative.size());
    std::string step = relative.substr(begin, end - begin);
    bool plain = !step.empty() && step != "." && step != ".." &&
                 step.find_first_of(std::string_view("\\\0", 2)) == step.npos;
    require<FileError>(plain, "can't read '", path, "': the name leads out of its folder");
    bool last = end == relative.size();
    place = File("read", path, place, step, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | (last ? 0 : O_DIRECTORY));
    begin = end + 1;
  }
  struct stat info;
  bool single = ::fstat(place, &info) == 0 && (!S_ISREG(info.st_mode) || info.st_nlink == 1);
  require<FileError>(single, "can't read '", path, "': the file has other names; copy it");
  return map_open_file(place, path);
}

namespace {

// Where bytes of a mapped file lie in it; with a file below 0 for others. They are mapped as long as they are
// used.
struct Place {
  int file = -1;
  size_t offset = 0;
  bool is_mapped = false;
};

Place place_of(std::span<const std::byte> bytes) {
  auto begin = reinterpret_cast<uintptr_t>(bytes.data());
  std::lock_guard lock(mappings().mutex);
  auto next = mappings().all.upper_bound(begin);
  if (next == mappings().all.begin()) return {};
  auto [start, mapping] = *std::prev(next);
  if (begin + bytes.size() > start + mapping.bytes) return {};
  return {mapping.file, begin - start, true};
}

}  // namespace

void copy_out(std::span<const std::byte> from, std::byte* to) {
  Place place = place_of(from);
  size_t done = 0;
  while (place.file >= 0 && done < from.size()) {
    ssize_t n = ::pread(place.file, to + done, from.size() - done, static_cast<off_t>(place.offset + done));
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) break;
    done += static_cast<size_t>(n);
  }
  if (done < from.size()) std::memcpy(to + done, from.data() + done, from.size() - done);
}

void fetch(std::span<const std::byte> bytes) {
  if (!place_of(bytes).is_mapped) return;
  auto page = static_cast<uintptr_t>(::sysconf(_SC_PAGESIZE));
  auto begin = reinterpret_cast<uintptr_t>(bytes.data()) / page * page;
  auto end = reinterpret_cast<uintptr_t>(bytes.data() + bytes.size());
#ifdef MADV_POPULATE_READ
  ::madvise(reinterpret_cast<void*>(begin), end - begin, MADV_POPULATE_READ);
#endif
}

void forget(std::span<const std::byte> bytes) {
  if (!place_of(bytes).is_mapped) return;
  auto page = static_cast<uintptr_t>(::sysconf(_SC_PAGESIZE));
  auto begin = reinterpret_cast<uintptr_t>(bytes.data()), end = begin + bytes.size();
  begin = (begin + page - 1) / page * page;  // pages that hold other bytes, too, stay
  end = end / page * page;
  if (begin < end) ::madvise(reinterpret_cast<void*>(begin), end - begin, MADV_DONTNEED);
}

AtomicFile::AtomicFile(const std::string& path) : path_(path), target_(follow_links(path)) {
  open();
  struct stat before;
  if (::stat(target_.c_str(), &before) == 0) (void)!::fchmod(file_, before.st_mode & 07777);
}

// Without a name where the file system can do that.
void AtomicFile::open() {
  file_ = ::open(folder_of(target_).c_str(), O_TMPFILE | O_WRONLY | O_CLOEXEC, 0666);
  if (file_ >= 0 && ::access(shown(file_).c_str(), F_OK) == 0) return;
  if (file_ >= 0) ::close(file_);
  do {
    temporary_ = temporary_beside(target_);
    file_ = ::open(temporary_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  } while (file_ < 0 && errno == EEXIST);
  if (file_ < 0) fail("write", path_);
  has_name_ = true;
}

AtomicFile::~AtomicFile() {
  if (file_ >= 0) ::close(file_);
  if (has_name_) ::unlink(temporary_.c_str());
}

void AtomicFile::write(const void* data, size_t bytes) {
  if (!write_all(file_, static_cast<const char*>(data), bytes)) fail("write", path_);
}

void AtomicFile::commit() {
  if (::fsync(file_) != 0) fail("write", path_);
  while (!has_name_) {
    temporary_ = temporary_beside(target_);
    has_name_ =
        ::linkat(AT_FDCWD, shown(file_).c_str(), AT_FDCWD, temporary_.c_str(), AT_SYMLINK_FOLLOW) == 0;
    if (!has_name_ && errno != EEXIST) fail("write", path_);
  }
  if (::rename(temporary_.c_str(), target_.c_str()) != 0) fail("write", path_);
  has_name_ = false;
  if (::close(std::exchange(file_, -1)) != 0) fail("write", path_);
  sync_folder(target_);
}

void write_file(const std::string& path, std::string_view text) {
  AtomicFile file(path);
  file.write(text);
  file.commit();
}

namespace {

// Where the last whole line of a file ends.
off_t end_of_lines(int file) {
  off_t end = ::lseek(file, 0, SEEK_END);
  for (char last = 0; end > 0 && ::pread(file, &last, 1, end - 1) == 1 && last != '\n';) --end;
  return end;
}

}  // namespace

void append_line(const std::string& path, std::string_view line) {
  File file("write", path, O_RDWR | O_CREAT | O_APPEND);
  off_t end = end_of_lines(file);
  if (end < 0 || ::ftruncate(file, end) != 0) fail("write", path);
  if (write_all(file, concat(line, '\n').data(), line.size() + 1)) return;
  int error = errno;
  (void)!::ftruncate(file, end);
  fail("write", path, error);
}

std::string read_lines(const std::string& path, size_t from) {
  std::string text = read_from(path, from);
  text.resize(text.rfind('\n') + 1);
  return text;
}

std::string stamp(const std::string& path) {
  struct stat s;
  if (::stat(path.c_str(), &s) != 0) return "";
  return concat(s.st_ino, "-", s.st_size, "-", s.st_mtim.tv_sec, "-", s.st_mtim.tv_nsec);
}

}  // namespace espalier::io
