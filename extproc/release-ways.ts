import type { Config } from './config/config.ts';
import { Exchange } from './exchange/exchange.ts';
import type { Connection, ExchangeContext } from './exchange/ports.ts';
import { ReleaseGate, refusesAll } from './exchange/release-gate.ts';
import { ReleasePasses } from './exchange/release-pass.ts';
import type { StreamedRelease } from './exchange/streamed-hold.ts';
import { StreamedHolds } from './exchange/streamed-holds.ts';
import { SocketReleaser } from './release/socket-releaser.ts';
import { UsedPassFiles, usedPassesDirectory } from './release/used-passes.ts';

/** Both ends of the way that approved requests take: who sends them, and who looks at them on Envoy's release listener. */
export type ReleaseWays = {
  /** Undefined where held requests wait in silence. */
  streamedFor(connection: Connection): StreamedRelease | undefined;
  readonly holds: StreamedHolds | undefined;
  gate(context: ExchangeContext, connection: Connection, pathPrefix: string): ReleaseGate;
};

export function streamedRelease(
  { approvals: { streamed }, connections, dataDirectory }: Config,
  { keyedHash, clock }: Pick<ExchangeContext, 'keyedHash' | 'clock'>,
): ReleaseWays {
  const passes = new ReleasePasses(keyedHash, clock, new UsedPassFiles(usedPassesDirectory(dataDirectory)));
  const { releaseSocket, ...limits } = streamed;
  const release =
    releaseSocket === undefined
      ? undefined
      : { holds: new StreamedHolds(limits), passes, releaser: new SocketReleaser(releaseSocket) };
  return {
    holds: release?.holds,
    streamedFor: ({ name }) => (connections[name]?.streamHolds === true ? release : undefined),
    gate(context, connection, pathPrefix) {
      const refusing = new Exchange({ ...context, judge: () => refusesAll }, connection, pathPrefix);
      return new ReleaseGate(passes, connection.name, refusing, context.onFault);
    },
  };
}
