// Fuzz target: restores a trainer from any JSON as a snapshot's state. The trainer must accept or reject it.
#include "radial/apps/train/trainer.h"
#include "radial/core/optim/sgd.h"
#include "radial/layers/linear.h"
#include "radial/layers/sequential.h"
#include "radial/losses/softmax.h"

#include "memory_file.h"

namespace radial::fuzz {
namespace {

/// A trainer of the smallest possible network.
class Subject {
public:
    Subject()
        : loader_(
              {Tensor::zeros({4, 1, 2, 2}, DType::uint8, Device{}), Tensor::zeros({4}, DType::int64, Device{}), {"a"}},
              {.batch_size = 2, .workers = 0}) {
        model_.add<Flatten>().add<Linear>(LinearOptions{.in_features = 4, .out_features = 2});
    }
    train::Trainer& trainer() { return trainer_; }

private:
    data::Loader loader_;
    Sequential model_;
    Softmax loss_{{.classes = 1, .dim = 2}};
    Sgd optimizer_{loss_.parameters(), {.lr = 0.1}};
    train::Trainer trainer_{{.step = {.model = model_, .loss = loss_, .optimizer = optimizer_, .device = Device{}},
                             .train = loader_,
                             .test = loader_,
                             .schedule = constant_schedule(0.1)}};
};

}  // namespace

void snapshot(Bytes bytes) {
    static Subject subject;
    tolerate<nlohmann::json::exception>([&] {
        const auto state = nlohmann::ordered_json::parse(bytes.begin(), bytes.end());
        tolerate<Error>([&] {
            subject.trainer().restore(state);
            subject.trainer().state();
        });
    });
}

}  // namespace radial::fuzz
