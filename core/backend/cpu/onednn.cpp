// Creates, caches and runs oneDNN primitives, and creates copies of weights in the format that a primitive needs.
#include "radial/core/backend/cpu/onednn.h"

#include "radial/core/backend/backend.h"
#include "radial/core/util/error.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>

namespace radial::onednn {
namespace {

/// The packed copies of the weights in one storage.
struct PackedWeights {
    struct Copy {
        Desc desc;
        std::int64_t offset;
        std::uint64_t version;
        Tensor buffer;  ///< undefined until a copy of the same version is requested a second time
    };
    std::vector<Copy> copies;

    Copy& copy_of(const Tensor& w, const Desc& desc) {
        const std::int64_t offset = w.impl()->offset;
        const auto found = std::find_if(copies.begin(), copies.end(),
                                        [&](const Copy& c) { return c.offset == offset && c.desc == desc; });
        if (found != copies.end()) return *found;
        copies.push_back({desc, offset, w.version() + 1, {}});
        return copies.back();
    }
};

}  // namespace

engine& cpu_engine() {
    static engine instance(engine::kind::cpu, 0);
    return instance;
}

dnnl::stream& cpu_stream() {
    static dnnl::stream instance(cpu_engine());
    return instance;
}

std::size_t KeyHash::operator()(const Key& key) const {
    std::size_t hash = 1469598103934665603U;  // FNV-1a over the words
    for (const std::int64_t word : key) hash = (hash ^ static_cast<std::size_t>(word)) * 1099511628211U;
    return hash;
}

Key make_key(int kind, std::initializer_list<std::span<const std::int64_t>> parts) {
    Key key{kind, num_threads()};
    for (const auto part : parts) {
        key.push_back(static_cast<std::int64_t>(part.size()));
        key.insert(key.end(), part.begin(), part.end());
    }
    return key;
}

memory::data_type type_of(DType dtype) {
    RADIAL_CHECK(dtype == DType::float32 || dtype == DType::bfloat16,
                 "oneDNN: dtype is {}, expected float32 or bfloat16", name_of(dtype));
    return dtype == DType::float32 ? memory::data_type::f32 : memory::data_type::bf16;
}

Desc desc_of(const Tensor& tensor) {
    using Tag = memory::format_tag;
    constexpr Tag plain[] = {Tag::undef, Tag::a, Tag::ab, Tag::abc, Tag::abcd, Tag::abcde, Tag::abcdef};
    const Shape& shape = tensor.shape();
    const Tag tag = tensor.layout() == Layout::channels_last ? Tag::acdb : plain[shape.rank()];
    return Desc(Dims(shape.begin(), shape.end()), type_of(tensor.dtype()), tag);
}

Tensor buffer_for(const Desc& desc) {
    return Tensor::empty({static_cast<std::int64_t>(desc.get_size())}, DType::uint8);
}

void reorder(const memory& from, const memory& to) {
    memory source = from, target = to;
    dnnl::reorder(source, target).execute(cpu_stream(), source, target);
    cpu_stream().wait();
}

void execute(const dnnl::primitive& primitive, const std::unordered_map<int, memory>& arguments, const char* what) {
    try {
        primitive.execute(cpu_stream(), arguments);
        cpu_stream().wait();
    } catch (const dnnl::error& error) {
        throw Error(
            fmt::format("{}: oneDNN failed: {} (status {})", what, error.what(), static_cast<int>(error.status)));
    }
}

Tensor packed_copy(const Tensor& w, const Desc& desc, const std::function<void(const Tensor& buffer)>& fill) {
    Storage& storage = *w.impl()->storage;
    if (storage.derived == nullptr) storage.derived = std::make_shared<PackedWeights>();
    PackedWeights::Copy& copy = static_cast<PackedWeights*>(storage.derived.get())->copy_of(w, desc);
    const bool again = copy.version == w.version();
    if (again && copy.buffer.defined()) return copy.buffer;
    const Tensor buffer = buffer_for(desc);
    fill(buffer);
    copy.version = w.version();
    copy.buffer = again ? buffer : Tensor();
    return buffer;
}

}  // namespace radial::onednn
