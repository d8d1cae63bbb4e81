// Device tensors over the ranks by way of the host.
#include "radial/core/distributed/device_collectives.h"

#include <utility>

namespace radial {
namespace {

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

std::unique_ptr<DeviceCollectives> make_staged_collectives(Communicator& host) {
    return std::make_unique<StagedCollectives>(host);
}

}  // namespace radial
