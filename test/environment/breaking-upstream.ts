import type { ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { text } from 'node:stream/consumers';

/** One answer that a test sends piece by piece and ends as it likes. */
export type BreakableAnswer = {
  /** Sends the head, and the bytes if there are any. */
  begin(headers: Record<string, string>, bytes: Uint8Array): void;
  /** Ends it as HTTP asks for. */
  end(): void;
  /** Resets the TCP connection under it. */
  reset(): void;
};

export type BreakingUpstream = {
  port: number;
  /** The answer to the request whose body holds `marker`; each request is given out once. */
  answerTo(marker: string): Promise<BreakableAnswer>;
  close(): void;
};

/** A TLS server that answers nothing by itself. */
export async function startBreakingUpstream(tls: {
  certificatePem: string;
  privateKeyPem: string;
}): Promise<BreakingUpstream> {
  const arrived = new Map<string, PromiseWithResolvers<BreakableAnswer>>();
  const slot = (marker: string) => {
    const found = arrived.get(marker) ?? Promise.withResolvers<BreakableAnswer>();
    arrived.set(marker, found);
    return found;
  };
  /** By the peer's port: what Node gives a handler is the TLS socket above it, which cannot be reset. */
  const sockets = new Map<number | undefined, Socket>();
  const server = createServer({ cert: tls.certificatePem, key: tls.privateKeyPem }, async (incoming, outgoing) => {
    const [marker] = /marker-\d+-/.exec(await text(incoming)) ?? [''];
    slot(marker).resolve(answerOn(outgoing, sockets.get(incoming.socket.remotePort)));
  });
  server.on('connection', (socket: Socket) => {
    const { remotePort } = socket;
    sockets.set(remotePort, socket);
    socket.on('close', () => sockets.delete(remotePort));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    async answerTo(marker) {
      const answer = await slot(marker).promise;
      arrived.delete(marker);
      return answer;
    },
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
}

function answerOn(outgoing: ServerResponse, socket: Socket | undefined): BreakableAnswer {
  outgoing.on('error', () => {});
  return {
    begin(headers, bytes) {
      outgoing.writeHead(200, headers);
      if (bytes.length === 0) outgoing.flushHeaders();
      else outgoing.write(bytes);
    },
    end: () => void outgoing.end(),
    reset: () => void socket?.resetAndDestroy(),
  };
}
