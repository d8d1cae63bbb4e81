// The reliability diagram: accuracy by confidence.
#include "radial/apps/report/charts.h"

#include <fmt/core.h>

namespace radial::train {

std::string reliability_chart(const Calibration& calibration) {
    const auto fraction = [](double value) { return fmt::format("{:.1f}", value); };
    const Axis whole{.low = 0, .high = 1, .ticks = round_ticks(0, 1, 5), .label = fraction};
    const ChartFrame frame(560, 300, whole, whole);
    std::string svg = frame.open("Accuracy of the test images by confidence");
    for (const CalibrationBin& bin : calibration.bins) {
        if (bin.count == 0) continue;
        svg += fmt::format(
            R"(<rect class="bin" x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}"><title>{} images with confidence )"
            R"({:.1f}% to {:.1f}% (mean {:.1f}%): {:.1f}% correct</title></rect>)",
            frame.x(bin.low) + 1, frame.y(bin.accuracy), frame.x(bin.high) - frame.x(bin.low) - 2,
            frame.y(0) - frame.y(bin.accuracy), bin.count, 100 * bin.low, 100 * bin.high, 100 * bin.mean_confidence,
            100 * bin.accuracy);
    }
    svg += fmt::format(R"(<line class="equal" x1="{:.1f}" y1="{:.1f}" x2="{:.1f}" y2="{:.1f}"/>)", frame.x(0),
                       frame.y(0), frame.x(1), frame.y(1));
    for (const CalibrationBin& bin : calibration.bins)
        if (bin.count > 0)
            svg += fmt::format(R"(<circle class="mean" cx="{:.1f}" cy="{:.1f}" r="4"/>)", frame.x(bin.mean_confidence),
                               frame.y(bin.accuracy));
    return svg + "</svg>\n";
}

}  // namespace radial::train
