// The interface of data sets, data sets made of tensors or of other data sets, and fingerprints.
#pragma once

#include "radial/core/tensor/tensor.h"

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace radial::data {

/// One sample, on the CPU.
struct Sample {
    Tensor input;   ///< an image, uint8 or float32 [C, H, W], or float32 of any other shape
    Tensor target;  ///< the class, int64 []; or int64 or float32 of any shape, whose meaning the loss defines
};

/// A set of samples with targets: the base of all data sets. A derived class implements size() and get(); the Loader
/// forms batches from them.
class Dataset {
public:
    virtual ~Dataset() = default;

    /// Number of samples.
    virtual std::int64_t size() const = 0;
    /// Returns sample `index`, counted from 0. All inputs of a set have the same type, and the same shape unless a
    /// transform crops them; all targets have the same type and shape. May be called by several threads at once. Throws
    /// Error when there is no such sample, and FileError when its file cannot be read.
    virtual Sample get(std::int64_t index) const = 0;
    /// The shape of an input as the network receives it, without the batch dimension. By default that of the first
    /// sample. Throws Error when the set is empty.
    virtual Shape input_shape() const;
    /// The picture of a sample for a report: uint8 [1 or 3, H, W]. Undefined if the input is not such a picture.
    virtual Tensor picture(std::int64_t index) const;

    /// The number of classes that have names.
    std::int64_t classes() const { return static_cast<std::int64_t>(class_names.size()); }

    std::vector<std::string> class_names;    ///< one per class; empty for targets that are not classes
    std::vector<std::string> class_folders;  ///< one per class if each class is a folder; else empty
    bool names_are_guessed = false;          ///< whether the reader chose the class names because the data contain none
    std::vector<std::string> notes;          ///< remarks of the reader for the user, such as skipped files

protected:
    Dataset() = default;
    Dataset(const Dataset&) = default;
    Dataset(Dataset&&) = default;
    Dataset& operator=(const Dataset&) = default;
    Dataset& operator=(Dataset&&) = default;
};

/// Samples that are rows of two tensors in memory.
class TensorSet : public Dataset {
public:
    /// `inputs` is [N, ...]. `targets` is [N] (int64: classes) or [N, ...]. Both are row-major and on the CPU. Throws
    /// Error when the numbers of rows differ.
    TensorSet(Tensor inputs, Tensor targets, std::vector<std::string> class_names = {});
    std::int64_t size() const override { return inputs_.size(0); }
    Sample get(std::int64_t index) const override;

private:
    Tensor inputs_, targets_;
};

/// A selection of the samples of another set, in the order of `indices`.
class Subset : public Dataset {
public:
    /// Throws Error when an index is not in the set.
    Subset(std::shared_ptr<const Dataset> set, std::vector<std::int64_t> indices);
    std::int64_t size() const override { return static_cast<std::int64_t>(indices_.size()); }
    Sample get(std::int64_t index) const override;
    Shape input_shape() const override { return set_->input_shape(); }
    Tensor picture(std::int64_t index) const override;

private:
    std::int64_t at(std::int64_t index) const;

    std::shared_ptr<const Dataset> set_;
    std::vector<std::int64_t> indices_;
};

/// The samples of several sets, one set after the other.
class ConcatSet : public Dataset {
public:
    /// Throws Error when there is no set, or when their class names differ.
    explicit ConcatSet(std::vector<std::shared_ptr<const Dataset>> sets);
    std::int64_t size() const override { return ends_.back(); }
    Sample get(std::int64_t index) const override;
    Shape input_shape() const override { return sets_.front()->input_shape(); }
    Tensor picture(std::int64_t index) const override;

private:
    /// The set that contains a sample, and the sample's index in that set.
    std::pair<const Dataset*, std::int64_t> at(std::int64_t index) const;

    std::vector<std::shared_ptr<const Dataset>> sets_;
    std::vector<std::int64_t> ends_;  ///< end of each set's range of samples
};

/// The first `count` samples. For an ImageSet the result is an ImageSet that shares its storage. Throws Error when
/// there are fewer.
std::shared_ptr<Dataset> first(const std::shared_ptr<const Dataset>& set, std::int64_t count);

/// The classes of all samples, int64 [N]. Reads every sample unless the set is an ImageSet. Throws Error when targets
/// are not classes.
Tensor labels_of(const Dataset& set);

/// A few numbers that identify a data set.
struct Fingerprint {
    std::int64_t samples = 0;  ///< number of samples
    std::string image;         ///< shape of an input: "1x28x28"; "files" if each image has its own size
    std::string content;       ///< digest of images and labels, 16 hexadecimal digits
};

/// Computes the fingerprint of a data set, which does not depend on its location. For images in memory it covers every
/// byte and every label. For files it covers every label and, in order, each file's name below their common folder, the
/// sizes of up to 100,000 files, and the first 64 KiB of up to 512 files, spread evenly over the set; this takes about
/// a second on a local disk. A file whose size cannot be read contributes a special value. For other sets it covers up
/// to 4096 samples, spread evenly.
Fingerprint fingerprint(const Dataset& set);

}  // namespace radial::data
