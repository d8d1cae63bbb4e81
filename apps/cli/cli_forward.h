// Forward declarations of CLI11's classes, for sources that only pass them on: CLI11's header takes seconds to compile.
#pragma once

namespace CLI {
class App;
class Option;
}  // namespace CLI
