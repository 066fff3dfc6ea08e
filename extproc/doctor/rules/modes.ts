import { overridesOf } from '../model.ts';
import { recordedOf, recordedRoutes } from '../recorded.ts';
import type { Fault, Rule } from '../rule.ts';
import type { Setting } from '../setting.ts';

const bodyModes = ['NONE', 'STREAMED', 'BUFFERED', 'BUFFERED_PARTIAL', 'FULL_DUPLEX_STREAMED', 'GRPC'];
const headerModes = ['DEFAULT', 'SEND', 'SKIP'];

type Key = {
  key: string;
  names: readonly string[];
  byDefault: string;
  right: readonly string[];
  wrong: Record<string, string>;
};

/** One rule for each of the six keys of a processing mode, at the filter and at every override of a route. */
export const modeRules: readonly Rule[] = [
  modeRule({
    id: 'request-headers-not-seen',
    severity: 'critical',
    invariants: [1, 5],
    title: 'Requests pass without the processor seeing their headers',
    why: 'Identity, path and route come with the request headers; an exchange begins there.',
    ...{ key: 'request_header_mode', names: headerModes, byDefault: 'SEND', right: ['SEND', 'DEFAULT'], wrong: {} },
  }),
  modeRule({
    id: 'request-not-held-back',
    severity: 'critical',
    invariants: [1],
    title: 'The request is not held back until it is recorded',
    why: 'FULL_DUPLEX_STREAMED is the one mode in which Envoy sends nothing on before the processor gave it back, at any size.',
    ...{ key: 'request_body_mode', names: bodyModes, byDefault: 'NONE', right: ['FULL_DUPLEX_STREAMED'] },
    wrong: {
      NONE: 'the body goes upstream unseen',
      STREAMED:
        'the headers go upstream before the first byte of the body is seen, and holding the rest deadlocks above the buffer limit',
      BUFFERED: 'bodies above the buffer limit (1 MiB) are answered with 413',
      BUFFERED_PARTIAL: 'what is behind the buffer limit goes upstream unseen',
      GRPC: 'it is made for gRPC bodies alone',
    },
  }),
  modeRule({
    id: 'request-trailers-not-seen',
    severity: 'critical',
    invariants: [1],
    title: 'The end of a request with trailers is not seen',
    why: 'FULL_DUPLEX_STREAMED needs the trailers: without them a request that ends in trailers never ends for the processor.',
    ...{ key: 'request_trailer_mode', names: headerModes, byDefault: 'SKIP', right: ['SEND'], wrong: {} },
  }),
  modeRule({
    id: 'response-headers-not-seen',
    severity: 'critical',
    invariants: [4],
    title: 'Answers pass without the processor seeing their headers',
    why: 'Status and encoding of the answer come with its headers, and our ids are put in there.',
    ...{ key: 'response_header_mode', names: headerModes, byDefault: 'SEND', right: ['SEND', 'DEFAULT'], wrong: {} },
  }),
  modeRule({
    id: 'answer-not-recorded',
    severity: 'critical',
    invariants: [1, 4],
    title: 'Answers are not recorded whole',
    why: 'STREAMED is the mode in which every chunk of an answer waits for its record and none is lost.',
    ...{ key: 'response_body_mode', names: bodyModes, byDefault: 'NONE', right: ['STREAMED'] },
    wrong: {
      NONE: 'no byte of an answer is seen',
      BUFFERED: 'an answer that streams arrives at its end only, and not at all above the buffer limit',
      BUFFERED_PARTIAL: 'what is behind the buffer limit is not seen',
      FULL_DUPLEX_STREAMED: 'Envoy expects the processor to send the bytes back',
      GRPC: 'it is made for gRPC bodies alone',
    },
  }),
  modeRule({
    id: 'response-trailers-not-seen',
    severity: 'critical',
    invariants: [4],
    title: 'The end of an answer with trailers is not seen',
    why: 'An answer that ends in trailers has no last chunk: without them its end is not seen, and "complete" cannot be said of it.',
    ...{ key: 'response_trailer_mode', names: headerModes, byDefault: 'SKIP', right: ['SEND'], wrong: {} },
  }),
];

function modeRule({ key, names, byDefault, right, wrong, ...about }: Omit<Rule, 'find'> & Key): Rule {
  const faultIn = (mode: Setting): Fault[] => {
    const setting = mode.at(key);
    const name = setting.isWritten ? setting.choice(names) : byDefault;
    if (right.includes(name)) return [];
    const unknown = name === '' ? 'a value that this check does not know' : name;
    const effect = wrong[name] === undefined ? '' : `: ${wrong[name]}`;
    return [{ at: setting, found: `${key} is ${unknown}${effect}`, change: `${key}: ${right[0]}` }];
  };
  return {
    ...about,
    find: (gateway) => [
      ...recordedOf(gateway).flatMap(({ processor }) => faultIn(processor.config.at('processing_mode'))),
      ...recordedRoutes(gateway).flatMap(({ route, processor }) =>
        overridesOf(route, processor.name)
          .map(({ config }) => config.at('overrides', 'processing_mode'))
          .filter(({ isWritten }) => isWritten)
          .flatMap(faultIn),
      ),
    ],
  };
}
