// A small HTTP server on the local host that can simulate failures, for tests of downloads.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

namespace radial::test {

/// How the server answers. By default it sends the whole `content`, or the part that begins at the position in the
/// Range header.
struct Behaviour {
    std::string content = {};
    int status = 200;                           ///< with any status other than 200, the body is empty
    bool ranges = true;                         ///< false: the Range header is ignored
    bool refuse_ranges = false;                 ///< true: a request with a Range header gets the status 416
    std::optional<std::size_t> cut_after = {};  ///< bytes of the body before the connection ends
    std::string redirect_from = {};             ///< requests for this path are redirected to "/moved"
};

/// A request of a client.
struct Request {
    std::string path;
    std::string range;  ///< value of the Range header; empty if there is none
    friend bool operator==(const Request&, const Request&) = default;
};

/// Answers requests on 127.0.0.1, one connection at a time, during its lifetime.
class HttpServer {
public:
    explicit HttpServer(Behaviour behaviour) : behaviour_(std::move(behaviour)) {
        listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t length = sizeof address;
        auto* const any = reinterpret_cast<sockaddr*>(&address);
        if (::bind(listener_, any, length) != 0 || ::listen(listener_, 16) != 0 ||
            ::getsockname(listener_, any, &length) != 0) {
            throw std::runtime_error("no server can be started on 127.0.0.1");
        }
        port_ = ntohs(address.sin_port);
        thread_ = std::thread([this] { serve(); });
    }
    ~HttpServer() {
        ::shutdown(listener_, SHUT_RDWR);  // wakes accept()
        thread_.join();
        ::close(listener_);
    }
    HttpServer(const HttpServer&) = delete;
    HttpServer& operator=(const HttpServer&) = delete;

    /// Returns "http://127.0.0.1:PORT" + path.
    std::string url(const std::string& path) const { return "http://127.0.0.1:" + std::to_string(port_) + path; }
    /// Changes the answers to all further requests.
    void behave(Behaviour behaviour) {
        const std::lock_guard lock(mutex_);
        behaviour_ = std::move(behaviour);
    }
    /// All requests so far.
    std::vector<Request> requests() const {
        const std::lock_guard lock(mutex_);
        return requests_;
    }

private:
    void serve() {
        for (;;) {
            const int connection = ::accept(listener_, nullptr, nullptr);
            if (connection < 0) return;
            answer(connection);
            ::close(connection);
        }
    }

    void answer(int connection) {
        std::string text;
        char buffer[4096];
        while (text.find("\r\n\r\n") == std::string::npos) {
            const ssize_t got = ::recv(connection, buffer, sizeof buffer, 0);
            if (got <= 0) return;
            text.append(buffer, static_cast<std::size_t>(got));
        }
        const std::size_t path = text.find(' ') + 1;
        Request request{text.substr(path, text.find(' ', path) - path), header(text, "Range")};
        const std::lock_guard lock(mutex_);
        requests_.push_back(request);
        respond(connection, request);
    }

    void respond(int connection, const Request& request) const {
        if (!behaviour_.redirect_from.empty() && request.path == behaviour_.redirect_from) {
            return send_all(connection, head("302 Found", 0, "Location: /moved\r\n"));
        }
        if (behaviour_.status != 200) return send_all(connection, head(std::to_string(behaviour_.status) + " No", 0));
        std::string_view body = behaviour_.content;
        const bool ranged = behaviour_.ranges && request.range.starts_with("bytes=");
        std::size_t first = 0;
        if (ranged) first = std::stoul(request.range.substr(6));
        if (ranged && (behaviour_.refuse_ranges || first >= body.size())) {
            return send_all(connection, head("416 Range Not Satisfiable", 0));
        }
        const std::string extra = "Content-Range: bytes " + std::to_string(first) + "-" +
                                  std::to_string(body.size() - 1) + "/" + std::to_string(body.size()) + "\r\n";
        body.remove_prefix(first);
        const std::string top = ranged ? head("206 Partial Content", body.size(), extra) : head("200 OK", body.size());
        if (behaviour_.cut_after) body = body.substr(0, *behaviour_.cut_after);
        send_all(connection, top + std::string(body));
    }

    static std::string head(const std::string& status, std::size_t length, const std::string& extra = "") {
        return "HTTP/1.1 " + status + "\r\nContent-Length: " + std::to_string(length) + "\r\n" + extra +
               "Connection: close\r\n\r\n";
    }

    /// The value of the header `name`, or "" if there is none.
    static std::string header(const std::string& text, const std::string& name) {
        const std::size_t at = text.find("\r\n" + name + ": ");
        if (at == std::string::npos) return "";
        const std::size_t begin = at + name.size() + 4;
        return text.substr(begin, text.find("\r\n", begin) - begin);
    }

    static void send_all(int connection, std::string_view bytes) {
        while (!bytes.empty()) {
            const ssize_t sent = ::send(connection, bytes.data(), bytes.size(), MSG_NOSIGNAL);
            if (sent <= 0) return;
            bytes.remove_prefix(static_cast<std::size_t>(sent));
        }
    }

    mutable std::mutex mutex_;
    Behaviour behaviour_;
    std::vector<Request> requests_;
    int listener_ = -1;
    int port_ = 0;
    std::thread thread_;
};

}  // namespace radial::test
