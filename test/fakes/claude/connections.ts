/** Counts and numbers the TCP connections of a server, also below TLS. */
import type { Server } from 'node:http';
import type { Socket } from 'node:net';

export type Connections = {
  /** TCP connections accepted so far, whether or not a request or a TLS handshake followed. */
  readonly acceptCount: () => number;
  /** Number (from 1) of the connection that a request came on. */
  readonly idOf: (socket: Socket) => number;
  readonly destroyAll: () => void;
};

export function watchConnections(server: Server): Connections {
  let accepted = 0;
  const open = new Set<Socket>();
  // A TLS socket is another object than the one accepted; the peer's address is what they share.
  const ids = new Map<string, number>();
  server.on('connection', (socket: Socket) => {
    accepted += 1;
    const peer = peerOf(socket);
    open.add(socket);
    ids.set(peer, accepted);
    const id = accepted;
    socket.on('error', () => undefined);
    socket.on('close', () => {
      open.delete(socket);
      if (ids.get(peer) === id) ids.delete(peer);
    });
  });
  return {
    acceptCount: () => accepted,
    idOf: (socket) => ids.get(peerOf(socket)) ?? 0,
    destroyAll: () => {
      for (const socket of open) socket.destroy();
    },
  };
}

function peerOf(socket: Socket): string {
  return `${socket.remoteAddress} ${socket.remotePort}`;
}
