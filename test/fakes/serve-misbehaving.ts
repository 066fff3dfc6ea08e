/**
 * An external processor that does what the file `behaviour` beside its configuration names (`misbehaviour.ts`), read at
 * the beginning of each stream. `--config FILE`, as `skilltape serve` has it.
 */
import { readFileSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import type { ServerDuplexStream, ServiceDefinition } from '@grpc/grpc-js';
import { Server, ServerCredentials } from '@grpc/grpc-js';
import { HealthImplementation } from 'grpc-health-check';
import { parse } from 'yaml';
import type { ProcessingRequest, ProcessingResponse } from '../unit/wire/independent.ts';
import { externalProcessorService, processMethod } from '../unit/wire/independent.ts';
import type { Misbehaving, Moment } from './misbehaviour.ts';
import { behaviours } from './misbehaviour.ts';

type Call = ServerDuplexStream<ProcessingRequest, ProcessingResponse | Uint8Array>;

const { values } = parseArgs({ options: { config: { type: 'string' } }, strict: true });
const configFile = values.config ?? '';
const { listen } = parse(readFileSync(configFile, 'utf8')) as { listen: { socket: string } };

function serve(call: Call): void {
  const name = readFileSync(join(dirname(configFile), 'behaviour'), 'utf8');
  const behave = behaviours[name];
  if (behave === undefined) throw new Error(`there is no behaviour "${name}"`);
  const body: Buffer[] = [];
  const processor: Misbehaving = {
    body,
    reply: (message) => void call.write(message),
    replyBytes: (bytes) => void call.write(bytes),
    endCleanly: () => void call.end(),
    endWithError: () => void call.emit('error', { code: 13, details: 'of the test' }),
    die: () => void process.kill(process.pid, 'SIGKILL'),
  };
  const meet = (moment: Moment) => behave(moment, processor);
  call.on('error', () => {});
  call.on('data', (message: ProcessingRequest) => {
    if (message.request_body?.body !== undefined) body.push(message.request_body.body);
    const last = message.request_headers ?? message.request_body;
    if (message.request_headers !== undefined) meet('request_headers');
    if (message.request_body !== undefined) meet('request_body');
    if (last?.end_of_stream === true) meet('request_end');
    if (message.response_headers !== undefined) meet('response_headers');
    if (message.response_body !== undefined) meet('response_body');
  });
  call.on('end', () => call.end());
  meet('open');
}

const serialize = processMethod.responseSerialize;
const service = {
  ...externalProcessorService,
  Process: {
    ...processMethod,
    responseSerialize: (message: ProcessingResponse | Uint8Array) =>
      message instanceof Uint8Array ? Buffer.from(message) : serialize(message),
  },
} as ServiceDefinition;

const server = new Server();
new HealthImplementation({ '': 'SERVING' }).addToServer(server);
server.addService(service, { Process: serve });
rmSync(listen.socket, { force: true });
server.bindAsync(`unix:${listen.socket}`, ServerCredentials.createInsecure(), (error) => {
  if (error !== null) throw error;
});
process.once('SIGTERM', () => process.exit(0));
