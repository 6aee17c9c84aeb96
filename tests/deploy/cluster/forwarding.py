"""
`kubectl port-forward`: SPDY/3.1 inside of a WebSocket, as much of it as carries connections to a port of a pod.

For each connection kubectl opens a stream for errors and then one for data. Its headers are packed with a dictionary of
SPDY's own and are not read: streams are told apart by their turn, and a pod here listens on one port.
"""

import asyncio
import struct
import zlib

PROTOCOL = "SPDY/3.1+portforward.k8s.io"
SYN_STREAM, SYN_REPLY, PING = 1, 2, 6
CONTROL, FIN = 0x8000_0000, 1


def forward(nodes):
    """Return what answers a WebSocket."""

    async def answer(socket):
        assert PROTOCOL in socket.scope["subprotocols"], socket.scope["subprotocols"]
        port = nodes.port_of(socket.path_params["namespace"], socket.path_params["name"])
        await socket.accept(subprotocol=PROTOCOL)
        tunnel = Tunnel(socket, port)
        try:
            await tunnel.run()
        finally:
            tunnel.close()

    return answer


class Tunnel:
    """The streams of one WebSocket."""

    def __init__(self, socket, port):
        self.socket, self.port = socket, port
        self.writers, self.tasks = {}, []
        self.packer, self.buffer, self.opened = zlib.compressobj(), b"", 0

    async def run(self):
        while (message := await self.socket.receive())["type"] == "websocket.receive":
            self.buffer += message.get("bytes") or b""
            while len(self.buffer) >= 8:
                head, size = struct.unpack(">II", self.buffer[:8])
                flags, length = size >> 24, size & 0xFF_FFFF
                if len(self.buffer) < 8 + length:
                    break
                payload, self.buffer = self.buffer[8 : 8 + length], self.buffer[8 + length :]
                await (self.control(head & 0xFFFF, payload) if head & CONTROL else self.data(head, flags, payload))

    async def control(self, kind, payload):
        if kind == PING:
            await self.send(CONTROL | 3 << 16 | PING, 0, payload)
        if kind == SYN_STREAM:
            (stream,) = struct.unpack(">I", payload[:4])
            headers = self.packer.compress(struct.pack(">I", 0)) + self.packer.flush(zlib.Z_SYNC_FLUSH)
            await self.send(CONTROL | 3 << 16 | SYN_REPLY, 0, struct.pack(">I", stream) + headers)
            self.opened += 1
            if self.opened % 2 == 0:
                reader, self.writers[stream] = await asyncio.open_connection("127.0.0.1", self.port)
                self.tasks.append(asyncio.create_task(self.back(stream, reader)))

    async def data(self, stream, flags, payload):
        if writer := self.writers.get(stream):
            writer.write(payload)
            if flags & FIN:
                writer.write_eof()

    async def back(self, stream, reader):
        """Send what the pod answers, and that it is all."""
        while read := await reader.read(2**16):
            await self.send(stream, 0, read)
        await self.send(stream, FIN, b"")
        await self.send(stream - 2, FIN, b"")

    async def send(self, head, flags, payload):
        await self.socket.send_bytes(struct.pack(">II", head, flags << 24 | len(payload)) + payload)

    def close(self):
        for task in self.tasks:
            task.cancel()
        for writer in self.writers.values():
            writer.close()
