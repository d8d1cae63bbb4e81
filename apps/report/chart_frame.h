// The coordinates, grid and tick labels that the charts of a report share.
#pragma once

#include <functional>
#include <string>
#include <vector>

namespace radial::train {

/// An interval of one axis and the marks on it.
struct Axis {
    double low = 0, high = 1;
    std::vector<double> ticks;
    std::function<std::string(double)> label;
};

/// A plot area of an SVG picture; y grows upwards.
class ChartFrame {
public:
    ChartFrame(double width, double height, Axis x, Axis y);
    double x(double value) const;
    double y(double value) const;
    /// The <svg> element's start with grid lines and tick labels; the caller adds marks and "</svg>".
    std::string open(const std::string& description) const;

private:
    double width_, height_;
    Axis x_, y_;
};

}  // namespace radial::train
