import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** The way to a server on this machine. While it is shut, connections end as soon as they are made, the open ones too. */
export type TcpGate = {
  readonly port: number;
  open(targetPort: number): void;
  shut(): void;
  close(): Promise<void>;
};

/** Shut at first. */
export async function startTcpGate(): Promise<TcpGate> {
  let target: number | null = null;
  const sockets = new Set<Socket>();
  const keep = (socket: Socket): void => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.once('close', () => sockets.delete(socket));
  };
  const server = createServer((caller) => {
    keep(caller);
    if (target === null) {
      caller.resetAndDestroy();
      return;
    }
    const callee = connect(target, '127.0.0.1');
    keep(callee);
    caller.pipe(callee).pipe(caller);
    caller.once('close', () => callee.destroy());
    callee.once('close', () => caller.destroy());
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const shut = (): void => {
    target = null;
    for (const socket of sockets) socket.resetAndDestroy();
  };
  return {
    port: (server.address() as AddressInfo).port,
    open(targetPort) {
      target = targetPort;
    },
    shut,
    async close() {
      shut();
      server.close();
      await once(server, 'close');
    },
  };
}
