import { format, parse } from 'node:path';
import type { ListenConfig } from '../config/config.ts';

/**
 * Where a worker listens: the first one at the place as configured, so that an Envoy that knows only this one goes on
 * when workers are added. `/run/extproc.sock` becomes `/run/extproc-2.sock` for the second, port 9443 becomes 9444.
 */
export function listenOf(listen: ListenConfig, worker: number): ListenConfig {
  if (worker === 1) return listen;
  if (listen.tcp !== undefined) return { tcp: { ...listen.tcp, port: listen.tcp.port + worker - 1 } };
  return { socket: socketOf(listen.socket, worker) };
}

export function socketOf(socket: string, worker: number): string {
  if (worker === 1) return socket;
  const { dir, name, ext } = parse(socket);
  return format({ dir, name: `${name}-${worker}`, ext });
}
