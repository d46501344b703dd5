// The network between clients and a server on loopback, at its worst: a TCP proxy that cuts, or goes silent.
#pragma once

#include <functional>
#include <list>
#include <memory>
#include <string>
#include <thread>

namespace pgsluice::test {

class TcpProxy {
   public:
    explicit TcpProxy(int server_port);
    ~TcpProxy();

    [[nodiscard]] int port() const noexcept { return port_; }

    // Both ends of every connection get a reset. New connections work, unless refuse() says otherwise.
    void cut();
    // Every connection goes silent for good though both its ends stay up, as behind a firewall that has forgotten it.
    // New connections work.
    void abandon();
    // What the servers answer on the connections that there are is lost from now on, though what clients say arrives
    // and both ends stay up. New connections work.
    void lose_answers();
    // The clients' ends get a reset; the server hears nothing of it, its ends stay up.
    void cut_clients();
    // From now on nothing is carried to the server, or to the clients, though all connections stay up and new ones are
    // taken: half-open, or with both entirely cut off. What was sent meanwhile arrives once that ends.
    void hold(bool to_server, bool to_clients);
    // New connections are reset at once, or taken again.
    void refuse(bool refuses);
    // From now on a connection ends, in order, once its client has said something: whoever is greeted by the server
    // first, as with NATS, has half a greeting.
    void break_off(bool breaks_off);
    // Connections that have both ends.
    int connections();
    // Bytes carried so far, in both directions.
    std::size_t carried();

   private:
    struct Flow {  // from one end to the other
        int from = -1;
        int to = -1;
        std::string waiting = {};  // read, not written yet
        bool ended = false;        // `from` has closed
    };
    struct Link {
        Flow up;    // client to server
        Flow down;  // server to client
        bool silent = false;
        bool loses_answers = false;
        bool broken = false;
    };

    // Runs it in the loop's thread, which owns all that follows; returns when it is done.
    void ask(const std::function<void()>& what);
    void loop();
    void accept_one();
    void move(Flow& flow, Link& link, bool held, bool readable);
    void reset(int fd);
    void remove_broken();

    int server_port_;
    int port_ = 0;
    int listener_ = -1;
    int wake_read_ = -1;
    int wake_write_ = -1;
    struct Asked;
    std::unique_ptr<Asked> asked_;

    std::list<Link> links_;
    std::list<int> abandoned_;  // servers' ends whose clients are gone
    bool hold_up_ = false;
    bool hold_down_ = false;
    bool refuses_ = false;
    bool breaks_off_ = false;
    bool stopping_ = false;
    std::size_t carried_ = 0;
    std::thread thread_;
};

}  // namespace pgsluice::test
