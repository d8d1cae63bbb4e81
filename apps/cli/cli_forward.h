// CLI11's names for those who only hand them on: its header takes a source several seconds to compile.
#pragma once

namespace CLI {
class App;
class Option;
}  // namespace CLI
