import { grpcStatus } from './grpc-status.ts';
import type { GrpcStream } from './grpc-stream.ts';
import { ProtobufReader } from './protobuf-reader.ts';
import { BackwardWriter } from './protobuf-writer.ts';

/** A HealthCheckRequest has one short name. */
export const healthMessageMaxBytes = 1024;

/** grpc.health.v1 HealthCheckResponse.ServingStatus. */
const serving = 1;
const notServing = 2;

const writer = new BackwardWriter();

/**
 * Answers grpc.health.v1.Health/Check about the server as a whole, whose name is empty; other services are NOT_FOUND, as
 * the health checking protocol has it. `Watch` is not offered: Envoy and Kubernetes ask by Check.
 */
export async function answerHealthCheck(stream: GrpcStream, isServing: () => boolean): Promise<void> {
  try {
    const service = serviceIn(await stream.next());
    while ((await stream.next()) !== undefined);
    if (service === '') {
      await stream.send([response(isServing() ? serving : notServing)]);
      stream.complete();
    } else {
      stream.fail({
        code: grpcStatus.notFound,
        details: 'only the health of the whole server is known: name no service',
      });
    }
  } catch (error) {
    stream.fail({ code: grpcStatus.internal, details: error instanceof Error ? error.message : '' });
  }
}

function serviceIn(request: Buffer | undefined): string {
  const reader = new ProtobufReader(request ?? Buffer.alloc(0));
  let service = '';
  while (reader.next()) {
    if (reader.field === 1) service = reader.utf8();
    else reader.skip();
  }
  return service;
}

function response(status: number): Buffer {
  writer.begin();
  writer.number(1, status);
  writer.grpcPrefix();
  return writer.take();
}
