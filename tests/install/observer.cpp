// A new observer: halves the learning rate after each epoch in which the test loss has not decreased.
#include <radial/train.h>

#include <cstdio>

using namespace radial;

namespace {

/// Sets the learning rate of the next steps.
class HalveOnPlateau : public train::Observer {
public:
    explicit HalveOnPlateau(double lr) : lr_(lr) {}
    /// The schedule for the trainer, which calls it for the learning rate of each step. It must not outlive this.
    Schedule schedule() const {
        return [this](double) { return lr_; };
    }
    void on_epoch(train::Trainer& /*trainer*/, const train::EpochResult& result) override {
        if (result.test_loss < best_) {
            best_ = result.test_loss;
            return;
        }
        lr_ /= 2;
        std::printf("epoch %d: test loss %.4f, learning rate now %g\n", static_cast<int>(result.epoch),
                    result.test_loss, lr_);
    }

private:
    double lr_, best_ = 1e300;
};

/// y = 3 x0 - x1, with noise.
std::shared_ptr<data::TensorSet> noisy_line(std::uint64_t seed) {
    Generator random(seed);
    const Tensor x = Tensor::empty({100, 2}), noise = Tensor::empty({100, 1});
    normal_(x, 0, 1, random);
    normal_(noise, 0, 0.1, random);
    return std::make_shared<data::TensorSet>(x, matmul(x, Tensor::from(std::vector{3.0F, -1.0F}, {2, 1})) + noise);
}

}  // namespace

int main() {
    manual_seed(1);
    train::Classifier model(std::make_shared<Linear>(LinearOptions{.in_features = 2, .out_features = 1}),
                            std::make_shared<MeanSquaredError>());
    Sgd optimizer(model.parameters(), {.lr = 0.5});
    data::Loader train_loader(noisy_line(1), {.batch_size = 10, .shuffle = true});
    data::Loader test_loader(noisy_line(2), {.batch_size = 100});
    HalveOnPlateau plateau(0.5);
    train::Trainer trainer({.step = {.model = *model.model, .loss = *model.loss, .optimizer = optimizer},
                            .train = train_loader,
                            .test = test_loader,
                            .schedule = plateau.schedule(),
                            .epochs = 20});
    trainer.observe(plateau);
    const train::EpochResult last = trainer.run();
    std::printf("test loss %.4f\n", last.test_loss);
    return last.lr < 0.5 && last.test_loss < 0.02 ? 0 : 1;
}
