// SPDX-License-Identifier: GPL-2.0
/*
 * Servers on a Unix socket: Redis and memcached.  A lookup is a request and its
 * reply; pipelined, many requests and then their replies.
 */
#include <algorithm>
#include <cerrno>
#include <cstdlib>

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "share.hh"

#define PIPELINE	64

static std::string text(const string16 &key)
{
	return std::string(key.bytes, sizeof(key.bytes));
}

/* memcached takes no key with control characters. */
static std::string text(uint64_t key)
{
	return std::to_string(key);
}

/* How the servers speak.  A reply to a lookup of a key has a fixed length. */
struct redis {
	static std::vector<std::string> command(const std::string &socket)
	{
		/* Debian's redis-tools has the server by this name only. */
		return { "redis-check-rdb", "redis-server", "--port", "0",
			 "--save", "", "--unixsocket", socket };
	}

	static std::string word(const std::string &word)
	{
		return "$" + std::to_string(word.size()) + "\r\n" + word + "\r\n";
	}

	static std::string get(const std::string &key)
	{
		return "*2\r\n" + word("GET") + word(key);
	}

	static std::string set(const std::string &key, const std::string &elem)
	{
		return "*3\r\n" + word("SET") + word(key) + word(elem);
	}

	static constexpr std::string_view before = "$8\r\n", stored = "+OK\r\n";
};

struct memcached {
	static std::vector<std::string> command(const std::string &socket)
	{
		return { "memcached", "memcached", "-u", "root", "-m", "1024",
			 "-s", socket };
	}

	static std::string get(const std::string &key)
	{
		return "mg " + key + " v\r\n";
	}

	static std::string set(const std::string &key, const std::string &elem)
	{
		return "ms " + key + " 8\r\n" + elem + "\r\n";
	}

	static constexpr std::string_view before = "VA 8\r\n", stored = "HD\r\n";
};

template <class key, class server, size_t depth> struct remote : table<key> {
	char dir[sizeof("/tmp/share.XXXXXX")] = "/tmp/share.XXXXXX";
	std::string path;
	pid_t pid = -1;
	int fd = -1;

	static std::unique_ptr<table<key>> make(size_t)
	{
		auto t = std::make_unique<remote>();

		if (!mkdtemp(t->dir))
			die("/tmp");
		t->path = std::string(t->dir) + "/socket";
		t->start();
		t->attach();
		return t;
	}

	~remote()
	{
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
		close(fd);
		unlink(path.c_str());
		rmdir(dir);
	}

	bool is_memory() override { return false; }

	void start()
	{
		std::vector<std::string> words = server::command(path);
		std::vector<char *> argv;

		for (size_t i = 1; i < words.size(); i++)
			argv.push_back(&words[i][0]);
		argv.push_back(NULL);
		pid = fork();
		if (pid)
			return;
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		dup2(open("/dev/null", O_RDWR), 1);
		execvp(words[0].c_str(), argv.data());
		die(words[0]);
	}

	/* The server may not listen yet. */
	void attach() override
	{
		const struct timespec pause = { 0, 10000000 };
		struct sockaddr_un to = { AF_UNIX, "" };

		memcpy(to.sun_path, path.c_str(), path.size() + 1);
		fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
		for (int tries = 0; tries < 1000; tries++) {
			if (!connect(fd, (struct sockaddr *)&to, sizeof(to)))
				return;
			nanosleep(&pause, NULL);
		}
		die(path);
	}

	/* Send @request and read all of the reply, which has @len bytes. */
	std::string talk(const std::string &request, size_t len)
	{
		std::string reply(len, 0);
		size_t at = 0;
		ssize_t n;

		if (write(fd, request.data(), request.size()) !=
		    (ssize_t)request.size())
			die("write");
		for (; at < len; at += n) {
			n = read(fd, &reply[at], len - at);
			if (n <= 0)
				die("read");
		}
		return reply;
	}

	void insert(const key *keys, size_t n) override
	{
		for (size_t i = 0; i < n; i += PIPELINE) {
			size_t m = std::min<size_t>(PIPELINE, n - i);
			std::string request;

			for (size_t j = i; j < i + m; j++) {
				uint64_t elem = elem_of(keys[j]);

				request += server::set(text(keys[j]),
						       { (char *)&elem, 8 });
			}
			if (talk(request, m * server::stored.size())
			    .compare(0, server::stored.size(), server::stored))
				die("not stored");
		}
	}

	size_t lookup(const key *keys, size_t n) override
	{
		const size_t len = server::before.size() + 10;
		size_t good = 0;

		for (size_t i = 0; i < n; i += depth) {
			size_t m = std::min(depth, n - i);
			std::string request, reply;

			for (size_t j = i; j < i + m; j++)
				request += server::get(text(keys[j]));
			reply = talk(request, m * len);
			for (size_t j = 0; j < m; j++) {
				uint64_t elem;

				memcpy(&elem, &reply[j * len +
						     server::before.size()], 8);
				good += elem == elem_of(keys[i + j]);
			}
		}
		return good;
	}
};

template <class key> using redis_one = remote<key, redis, 1>;
template <class key> using redis_many = remote<key, redis, PIPELINE>;
template <class key> using memcached_one = remote<key, memcached, 1>;
template <class key> using memcached_many = remote<key, memcached, PIPELINE>;

const std::vector<peer> server_peers = {
	make_peer<redis_one>("redis"),
	make_peer<redis_many>("redis_pipelined"),
	make_peer<memcached_one>("memcached"),
	make_peer<memcached_many>("memcached_pipelined"),
};
