#include <functional>

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <espalier/core/error.h>
#include <espalier/io/weights.h>

#include <temporary_folder.h>

#include "torch_maker.h"

// There where a sanitizer is.
extern "C" {
__attribute__((weak)) void __asan_init();
__attribute__((weak)) void __tsan_init();
}

// No file makes who reads it take memory beyond a small multiple of its size, or time beyond linear in it, or
// write anything. Each file here is made of one thing, n times.
namespace espalier::io {
namespace {

struct Repeated {
  const char* name;
  std::function<std::string(int n)> file;
};

std::string times(int n, const std::string& text) {
  std::string out;
  for (int i = 0; i < n; ++i) out += text;
  return out;
}

std::string each(int n, const std::function<std::string(int i)>& f) {
  std::string out;
  for (int i = 0; i < n; ++i) out += f(i);
  return out;
}

std::string pickled(const std::string& object) {
  return torch_zip(object, floats({0, 1, 2, 3, 4, 5})).bytes();
}
std::string in_list(const std::string& items) { return pickled("](" + items + "e"); }

std::string safetensors(std::string fields) {
  fields.back() = '}';  // for the last comma
  fields.insert(0, "{");
  return u64(fields.size()) + fields;
}

std::string key(int i) { return "\"" + std::to_string(i) + "\""; }

std::string stacked(int n) {
  ZipMade zip;
  for (int i = 0; i < n; ++i) zip.entries.push_back({.name = "x/" + std::to_string(i), .data = ""});
  return zip.bytes();
}

const Repeated kFiles[] = {
    {"tensors of safetensors",
     [](int n) {
       return safetensors(
           each(n, [](int i) { return key(i) + R"(:{"dtype":"U8","shape":[0],"data_offsets":[0,0]},)"; }));
     }},
    {"metadata",
     [](int n) {
       auto entries = each(n, [](int i) { return key(i) + ":\"0\","; });
       return safetensors("\"__metadata__\":{" + entries + "\"last\":\"\"},");
     }},
    {"brackets of JSON", [](int n) { return safetensors("\"x\":" + std::string(20 * n, '[') + ","); }},
    {"names in an index",
     [](int n) {
       return "{\"weight_map\":{" + each(n, [](int i) { return key(i) + ":\"a.bin\","; }) + "\"x\":\"a\"}}";
     }},
    {"entries of a zip", stacked},
    {"ends of a zip", [](int n) { return "PK\3\4" + times(n, "PK\5\6" + std::string(18, '\1')); }},
    {"marks", [](int n) { return pickled(times(20 * n, "(")); }},
    {"empty dictionaries", [](int n) { return in_list(times(20 * n, "}")); }},
    {"short texts", [](int n) { return in_list(times(5 * n, "U\1x")); }},
    {"values kept", [](int n) { return in_list(each(n, [](int i) { return "Nr" + u32(i * 7919u); })); }},
    {"one value recalled",
     [](int n) { return pickled("](X" + u32(n) + times(n, "x") + "q\1" + times(10 * n, "h\1") + "e"); }},
    {"one list recalled",
     [](int n) { return in_list("](" + times(n, "N") + "eq\1" + times(10 * n, "h\1")); }},
    {"lists of lists", [](int n) { return pickled(times(5 * n, "]") + times(5 * n - 1, "a")); }},
    {"lists that double", [](int n) { return pickled("]q\1" + times(n, "](h\1h\1eq\1")); }},
    {"dictionaries copied",
     [](int n) {
       return in_list("}(" + times(n, "NN") + "uq\1ccollections\nOrderedDict\nq\2" + times(n, "h\2h\1\x85R"));
     }},
    {"texts encoded",
     [](int n) {
       return in_list("X" + u32(n) + times(n, "x") + "q\1c_codecs\nencode\nq\2" + times(n, "h\2h\1\x85R"));
     }},
    {"states of modules",
     [](int n) { return in_list("}(" + times(n, "NN") + "uq\1cx\ny\nq\2" + times(n, "h\2)\x81h\1b")); }},
    {"names not known",
     [](int n) { return in_list(each(n, [](int i) { return concat("cx\ny", i, "\n"); })); }},
    {"tensors of one storage",
     [](int n) { return in_list(times(n / 10, TensorMade{.shape = {1}, .strides = {1}}.pickle())); }},
    {"one tensor many times",
     [](int n) { return in_list(TensorMade().pickle() + "q\1" + times(10 * n, "h\1")); }},
    {"a large tensor many times",
     [](int n) {
       return in_list(TensorMade{.shape = {1 << 20}, .strides = {0}}.pickle() + "q\1" + times(10 * n, "h\1"));
     }},
    {"long names",
     [](int n) {
       std::string tensor = TensorMade().pickle() + "q\1", name = pickle_text(std::string(n, 'n'));
       return pickled("}" + name + "](" + tensor + times(5 * n, "h\1") + "es");
     }},
    {"a header of NumPy's",
     [](int n) { return "\x93NUMPY\2" + std::string(1, '\0') + u32(20 * n) + times(20 * n, " "); }},
    {"sizes of NumPy's",
     [](int n) {
       std::string header =
           "{'descr': '<f4', 'fortran_order': False, 'shape': (" + times(5 * n, "1, ") + ")}";
       return "\x93NUMPY\2" + std::string(1, '\0') + u32(header.size()) + header;
     }},
    {"fields of ONNX", [](int n) { return "\x08\x08\x3a" + times(n, "\x2a\x02\x08\x01"); }},
};

struct Cost {
  double seconds;
  double bytes;
};

double seconds(const timeval& t) {
  return static_cast<double>(t.tv_sec) + 1e-6 * static_cast<double>(t.tv_usec);
}

// What a process takes that reads a file, and may write none.
Cost cost_of(const std::string& path) {
  pid_t child = ::fork();
  if (child == 0) {
    rlimit none{0, 0};
    ::setrlimit(RLIMIT_FSIZE, &none);
    try {
      if (!path.empty()) {
        WeightsFile file(path);
        if (file.pytorch()) file.pytorch()->tree();
      }
    } catch (const FileError&) {
    } catch (...) {
      ::_exit(1);
    }
    ::_exit(0);
  }
  int status = 0;
  rusage usage{};
  ::wait4(child, &status, 0, &usage);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << path;
  return {seconds(usage.ru_utime) + seconds(usage.ru_stime), 1024.0 * static_cast<double>(usage.ru_maxrss)};
}

TEST(Limits, of_memory_and_time_hold_for_files_of_many_parts) {
  TemporaryFolder folder;
  const double nothing = cost_of("").bytes;
  for (const Repeated& made : kFiles) {
    Cost costs[2];
    double sizes[2];
    for (int i : {0, 1}) {
      std::string content = made.file(i ? 40000 : 5000);
      sizes[i] = static_cast<double>(content.size());
      write_file(folder / "file", content);
      costs[i] = cost_of(folder / "file");
    }
    double memory = costs[1].bytes - nothing,
           longer = costs[1].seconds - 3 * sizes[1] / sizes[0] * costs[0].seconds;
    EXPECT_LT(longer, 0.2) << made.name << ": " << costs[0].seconds << " s, then " << costs[1].seconds
                           << " s";
    if (__asan_init || __tsan_init) continue;  // sanitizers take memory of their own
    EXPECT_LT(memory, 100 * sizes[1] + (64 << 20)) << made.name << ", " << sizes[1] << " bytes";
  }
}

}  // namespace
}  // namespace espalier::io
