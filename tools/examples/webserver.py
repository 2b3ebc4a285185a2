#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""A web server of several processes that count and limit requests in one map.

    webserver.py [--workers N] [--limit N] [--window SECONDS] ADDRESS

The address is a port, or the path of a UNIX socket for a proxy that passes on
who the client is as X-Real-IP.  A client may make so many requests in a window
of so many seconds, whichever workers get them.  /stats tells how many there
were, and so does `hmapctl dump web`; the counts survive the server.
"""

import argparse
import errno
import json
import os
import signal
import socket
import socketserver
import sys
import time
import traceback
from http.server import BaseHTTPRequestHandler, HTTPServer

import hmap

MAX_CLIENTS = 100000


def count(what):
    return web.add('requests ' + what) + 1


# A count for each client and window.  Those of old windows are of no use.

def client_key(window, client):
    return f'client {window} {client}'


def this_window():
    return int(time.time()) // options.window


def may_go_on(client):
    try:
        return web.add(client_key(this_window(), client)) < options.limit
    except OSError as error:
        # A flood of new clients takes no more memory, but has to wait.
        if error.errno != errno.ENOSPC:
            raise
        return False


def is_old(key):
    # In the window before this one, a worker may be counting still.
    kind, *rest = key.split()
    return kind == 'client' and int(rest[0]) < this_window() - 1


def sweep():
    while True:
        time.sleep(options.window)
        web.delete_many(filter(is_old, web))


class Handler(BaseHTTPRequestHandler):
    timeout = 10

    def do_GET(self):
        client = (self.client_address or [self.headers['X-Real-IP']])[0]
        if self.path == '/stats':
            self.answer(200, json.dumps({key: n for key, n in web.items()
                                         if key.startswith('requests ')}))
        elif not may_go_on(client):
            count('refused')
            self.answer(429, 'too many requests')
        else:
            self.answer(200, f'request {count("served")}')

    def answer(self, status, text):
        self.send_response(status)
        self.end_headers()
        self.wfile.write(text.encode() + b'\n')

    def log_message(self, *_):
        pass


class Server(HTTPServer):
    # HTTPServer would ask for the host's name.
    server_bind = socketserver.TCPServer.server_bind

    def __init__(self, address):
        if not address.isdecimal():
            self.address_family = socket.AF_UNIX
        super().__init__(('', int(address)) if address.isdecimal() else address,
                         Handler)


def start(work):
    """Do it in a process of its own; returns its pid."""
    pid = os.fork()
    if not pid:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        try:
            work()
        except Exception:
            traceback.print_exc()
        os._exit(1)
    return pid


def main():
    server = Server(options.address)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())
    running = {}
    try:
        for work in [server.serve_forever] * options.workers + [sweep]:
            running[start(work)] = work
        while True:
            work = running.pop(os.wait()[0])
            time.sleep(1)       # in case it fails at once, again and again
            running[start(work)] = work
    finally:
        for pid in running:
            os.kill(pid, signal.SIGTERM)


if __name__ == '__main__':
    parser = argparse.ArgumentParser()
    parser.add_argument('--workers', type=int, default=4)
    parser.add_argument('--limit', type=int, default=100)
    parser.add_argument('--window', type=int, default=60)
    parser.add_argument('address')
    options = parser.parse_args()
    # Workers inherit the map, as they do the socket.
    web = hmap.create('web', key='string', elem='u64', exist_ok=True,
                      max_entries=MAX_CLIENTS)
    for what in ('served', 'refused'):
        web.setdefault('requests ' + what, 0)
    main()
