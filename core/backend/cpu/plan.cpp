// Making, keeping and running oneDNN primitives.
#include "radial/core/backend/cpu/plan.h"

#include "radial/core/backend/backend.h"

#include <fmt/format.h>

namespace radial::onednn {

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

Desc desc_of(const Tensor& tensor) {
    using Tag = memory::format_tag;
    constexpr Tag plain[] = {Tag::undef, Tag::a, Tag::ab, Tag::abc, Tag::abcd, Tag::abcde, Tag::abcdef};
    const Shape& shape = tensor.shape();
    const Tag tag = tensor.layout() == Layout::channels_last ? Tag::acdb : plain[shape.rank()];
    return Desc(Dims(shape.begin(), shape.end()), memory::data_type::f32, tag);
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

}  // namespace radial::onednn
