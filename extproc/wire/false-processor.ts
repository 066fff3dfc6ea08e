import { grpcStatus, responseHeaders, trailersOf } from './grpc-status.ts';
import { GrpcStream } from './grpc-stream.ts';
import { answerHealthCheck, healthMessageMaxBytes } from './health.ts';
import { listenOn } from './listen.ts';

/**
 * The program that `skilltape doctor --live` puts in the place of the processor: healthy, and of no use. It ends each
 * stream at once without an error, as a processor must never do: Envoy takes that for leave to go on (inv. 2).
 *
 * Its one argument is the path of the socket. It says `ready` on standard output and runs until it is killed.
 */
async function main(socket: string): Promise<void> {
  await listenOn({ socket }, (stream, headers) => {
    if (headers[':path'] === '/grpc.health.v1.Health/Check') {
      void answerHealthCheck(new GrpcStream(stream, { messageMaxBytes: healthMessageMaxBytes }), () => true);
      return;
    }
    stream.on('error', () => {});
    stream.on('wantTrailers', () => stream.sendTrailers(trailersOf({ code: grpcStatus.ok, details: '' })));
    stream.respond(responseHeaders, { waitForTrailers: true });
    stream.end();
  });
  process.stdout.write('ready\n');
}

if (import.meta.main) await main(String(process.argv[2]));
