/** What a processor may do wrong, by name, frame by frame. */
import type { ProcessingResponse } from '../unit/wire/independent.ts';

/** `request_end` comes with the last frame of a request, whatever frame that is, after the frame's own. */
export type Moment = 'open' | 'request_headers' | 'request_body' | 'request_end' | 'response_headers' | 'response_body';

export type Misbehaving = {
  reply(message: ProcessingResponse): void;
  /** Bytes in the place of a message. */
  replyBytes(bytes: Uint8Array): void;
  /** Status OK, although Envoy has not half-closed. */
  endCleanly(): void;
  endWithError(): void;
  die(): void;
  /** Request body chunks so far, in order. */
  readonly body: readonly Buffer[];
};

export type Behaviour = (moment: Moment, processor: Misbehaving) => void;

const verdict = {
  fields: {
    skilltape: { structValue: { fields: { verdict: { stringValue: 'allow' }, exchange: { stringValue: 'x' } } } },
  },
};
const streamed = (body: Uint8Array, end: boolean): ProcessingResponse => ({
  request_body: { response: { body_mutation: { streamed_response: { body, end_of_stream: end } } } },
});
const continued = { response: {} };

/** A release as skilltape makes it, of which `share` of the body is sent. */
function release(processor: Misbehaving, metadata: object | undefined, share = 1): void {
  processor.reply({ request_headers: continued, ...(metadata === undefined ? {} : { dynamic_metadata: metadata }) });
  const body = Buffer.concat([...processor.body]);
  if (share === 1) processor.reply(streamed(body, true));
  else processor.reply(streamed(body.subarray(0, Math.floor(body.length * share)), false));
}

const honest: Behaviour = (moment, processor) => {
  if (moment === 'request_end') release(processor, verdict);
  if (moment === 'response_headers') processor.reply({ response_headers: continued });
  if (moment === 'response_body') processor.reply({ response_body: continued });
};

function at(wanted: Moment, act: (processor: Misbehaving) => void): Behaviour {
  return (moment, processor) => {
    if (moment === wanted) act(processor);
  };
}

const early = ['open', 'request_headers', 'request_body', 'request_end'] as const;

/** Nothing of these is a release: no byte of the request may reach the upstream. */
export const withoutRelease: Record<string, Behaviour> = {
  ...Object.fromEntries(early.map((when) => [`a clean end at ${when}`, at(when, (it) => it.endCleanly())])),
  ...Object.fromEntries(early.map((when) => [`an error at ${when}`, at(when, (it) => it.endWithError())])),
  ...Object.fromEntries(early.map((when) => [`death at ${when}`, at(when, (it) => it.die())])),
  'a release that names no verdict': at('request_end', (it) => release(it, undefined)),
  'a release at the headers that names no verdict': at('request_headers', (it) =>
    it.reply({ request_headers: continued }),
  ),
  'the verdict without a release, and a clean end': at('request_end', (it) => {
    it.reply({ dynamic_metadata: verdict });
    it.endCleanly();
  }),
  'a release whose verdict is another one': at('request_end', (it) =>
    release(it, { fields: { skilltape: { structValue: { fields: { verdict: { stringValue: 'deny' } } } } } }),
  ),
  'an empty message at the headers': at('request_headers', (it) => it.reply({})),
  'an empty message at the end': at('request_end', (it) => it.reply({})),
  'bytes that are no message': at('request_headers', (it) => it.replyBytes(Buffer.alloc(64, 0xff))),
  'a message cut short': at('request_end', (it) => it.replyBytes(Buffer.from([0x0a, 0x7f, 0x01]))),
  'an answer to response headers': at('request_end', (it) => it.reply({ response_headers: continued })),
  'an answer to a response body': at('request_end', (it) => it.reply({ response_body: continued })),
  'an answer to trailers': at('request_end', (it) => it.reply({ request_trailers: {} })),
  'a body before its headers': at('request_end', (it) => it.reply(streamed(Buffer.from('{}'), true))),
  'a body in the form of another mode': at('request_end', (it) => it.reply({ request_body: continued })),
  'a local reply with status 0': at('request_end', (it) => it.reply({ immediate_response: { status: { code: 0 } } })),
  'a local reply, and a release after it': at('request_end', (it) => {
    it.reply({ immediate_response: { status: { code: 403 } } });
    release(it, verdict);
  }),
};

export const behaviours: Record<string, Behaviour> = {
  honest,
  ...withoutRelease,
  'half a release, then a clean end': at('request_end', (it) => {
    release(it, verdict, 0.5);
    it.endCleanly();
  }),
  'half a release, then an error': at('request_end', (it) => {
    release(it, verdict, 0.5);
    it.endWithError();
  }),
  'half a release, then death': at('request_end', (it) => {
    release(it, verdict, 0.5);
    // Envoy shall have it before the process is gone.
    setTimeout(() => it.die(), 100);
  }),
};
