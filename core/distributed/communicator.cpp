// Code shared by all communicators: a single rank, tensors on devices (directly or through the host), gathering of
// rows, and the scope in which a batch is a part of a larger batch.
#include "radial/core/distributed/communicator.h"

#include "radial/core/distributed/device_collectives.h"
#include "radial/core/memory/transfer.h"

#include <charconv>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <utility>

namespace radial {
namespace {

class NothingPending : public PendingOperation {
public:
    void wait() override {}
};

class SingleRank : public Communicator {
public:
    SingleRank() : Communicator({}) {}
    std::vector<std::string> gather(const std::string& bytes) override { return {bytes}; }
    void barrier() override {}
    void end_together() override {}

protected:
    std::unique_ptr<PendingOperation> start_host_sum(const Tensor&) override {
        return std::make_unique<NothingPending>();
    }
    void host_broadcast(const Tensor&, int) override {}
};

void check_summable(const Tensor& x) {
    RADIAL_CHECK(x.defined(), "sum over ranks: the tensor is undefined");
    const bool fits = x.dtype() == DType::float32 || x.dtype() == DType::float64 || x.dtype() == DType::int64;
    RADIAL_CHECK(fits, "sum over ranks: the tensor is {}, expected float32, float64 or int64", x.str());
}

std::optional<int> number_in(const char* variable) {
    const char* const text = std::getenv(variable);
    if (text == nullptr || *text == '\0') return std::nullopt;
    int value = -1;
    const char* const last = text + std::strlen(text);
    const auto [end, error] = std::from_chars(text, last, value);
    RADIAL_CHECK(error == std::errc{} && end == last && value >= 0, "{}: '{}' is not a number of at least 0", variable,
                 text);
    return value;
}

thread_local const OverRanks* innermost = nullptr;

class StagedSum : public PendingOperation {
public:
    StagedSum(Communicator& host, Tensor x) : x_(std::move(x)), copy_(x_.to(Device{})), sum_(host.start_sum(copy_)) {}
    void wait() override {
        sum_->wait();
        x_.copy_(copy_);
    }
    OperationTimes times() const override { return sum_->times(); }

private:
    Tensor x_, copy_;
    std::unique_ptr<PendingOperation> sum_;
};

class StagedCollectives : public DeviceCollectives {
public:
    explicit StagedCollectives(Communicator& host) : host_(host) {}
    std::unique_ptr<PendingOperation> start_sum(const Tensor& x) override {
        return std::make_unique<StagedSum>(host_, x);
    }
    void broadcast(const Tensor& x, int root) override {
        const Tensor copy = x.to(Device{});
        host_.broadcast(copy, root);
        x.copy_(copy);
    }

private:
    Communicator& host_;
};

}  // namespace

Communicator::Communicator(Place place) : place_(place) {}
Communicator::~Communicator() = default;

std::unique_ptr<PendingOperation> Communicator::start_sum(const Tensor& x) {
    check_summable(x);
    if (size() == 1) return std::make_unique<NothingPending>();
    return x.device().kind == Device::Kind::cpu ? start_host_sum(x) : device(x.device()).start_sum(x);
}

void Communicator::sum(const Tensor& x) { start_sum(x)->wait(); }

void Communicator::broadcast(const Tensor& x, int root) {
    RADIAL_CHECK(x.defined(), "broadcast: the tensor is undefined");
    RADIAL_CHECK(root >= 0 && root < size(), "broadcast: from rank {}, there are {}", root, size());
    if (size() == 1) return;
    if (x.device().kind == Device::Kind::cpu)
        host_broadcast(x, root);
    else
        device(x.device()).broadcast(x, root);
}

Tensor Communicator::gather_rows(const Tensor& x) {
    RADIAL_CHECK(x.defined() && x.rank() >= 1, "gather_rows: the tensor is {}, expected rows", x.str());
    if (size() == 1) return x;
    const Tensor own = x.detach().to(Device{}).to(Layout::row_major);
    const std::vector<std::string> parts =
        gather(own.bytes() == 0 ? std::string() : std::string(static_cast<const char*>(own.raw()), own.bytes()));
    Shape shape = x.shape();
    shape[0] = 1;
    const std::size_t row_bytes = static_cast<std::size_t>(shape.numel()) * size_of(x.dtype());
    std::size_t bytes = 0;
    for (const std::string& part : parts) bytes += part.size();
    RADIAL_CHECK(row_bytes > 0 && bytes % row_bytes == 0,
                 "gather_rows: {} bytes from all ranks are no rows as those of {}", bytes, x.str());
    shape[0] = static_cast<std::int64_t>(bytes / row_bytes);
    const Tensor all = Tensor::empty(shape, x.dtype(), Device{});
    auto* to = static_cast<char*>(all.raw());
    for (const std::string& part : parts) {
        if (!part.empty()) std::memcpy(to, part.data(), part.size());
        to += part.size();
    }
    return all.to(x.device());
}

DeviceCollectives& Communicator::device(Device device) {
    if (device_ == nullptr) device_ = make_device_collectives(*this, device);
    return *device_;
}

RankEnvironment rank_environment() {
    for (const auto& [rank_name, size_name] :
         {std::pair{"OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE"}, std::pair{"PMI_RANK", "PMI_SIZE"}}) {
        const std::optional<int> rank = number_in(rank_name), size = number_in(size_name);
        if (!rank || !size) continue;
        RADIAL_CHECK(*rank < *size, "{}: rank {} of {} ({})", rank_name, *rank, *size, size_name);
        return {*rank, *size};
    }
    return {};
}

std::unique_ptr<Communicator> single_rank() { return std::make_unique<SingleRank>(); }

OverRanks::OverRanks(Communicator& ranks, OverRanksOptions options)
    : ranks_(ranks.size() > 1 ? &ranks : nullptr), batch_norm_(options.batch_norm), previous_(innermost) {
    innermost = this;
}
OverRanks::~OverRanks() { innermost = previous_; }

Communicator* batch_ranks() { return innermost == nullptr ? nullptr : innermost->ranks_; }

Communicator* batch_norm_ranks() {
    return innermost == nullptr || !innermost->batch_norm_ ? nullptr : innermost->ranks_;
}

Tensor rows_of_all_ranks(const Tensor& x) {
    Communicator* const ranks = batch_ranks();
    return ranks == nullptr ? x.detach() : ranks->gather_rows(x);
}

std::unique_ptr<DeviceCollectives> make_staged_collectives(Communicator& host) {
    return std::make_unique<StagedCollectives>(host);
}

}  // namespace radial
